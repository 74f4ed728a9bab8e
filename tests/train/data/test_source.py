"""Splits and photos of a data folder."""

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.datasets.schema import SPLITS
from mmdemo.types import InputError
from tests.tiny import write_data
from train.data.source import DataSource

TWEETS = find_dataset("twitter2017")


@pytest.fixture
def folder(tmp_path):
    return write_data(tmp_path / "data", 40, valid=10)


def ids(source: DataSource, split: str, dataset: str = "twitter2017") -> list[str]:
    return [post.id for post in source.posts(find_dataset(dataset), split)]


def test_official_splits_are_the_files(folder):
    source = DataSource(folder=folder)
    assert ids(source, "train") == [f"train{i}" for i in range(40)]
    assert ids(source, "valid") == [f"valid{i}" for i in range(10)]
    assert ids(source, "test") == [f"test{i}" for i in range(10)]


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
def test_the_reports_split_is_70_15_15_disjoint_and_complete(folder, dataset):
    source = DataSource(folder=folder, scheme="report")
    parts = [ids(source, split, dataset) for split in SPLITS]
    assert [len(part) for part in parts] == [42, 9, 9]
    everything = [post for part in parts for post in part]
    official = [p for split in SPLITS for p in ids(DataSource(folder=folder), split, dataset)]
    assert sorted(everything) == sorted(official) and len(set(everything)) == 60
    assert parts == [ids(source, split, dataset) for split in SPLITS]


def test_the_reports_split_is_shuffled(folder):
    train = ids(DataSource(folder=folder, scheme="report"), "train")
    assert any(post.startswith("test") for post in train) and any(post.startswith("valid") for post in train)


def test_each_description_of_a_photo_is_there_to_be_picked(folder):
    """Whatever the split scheme, and whether or not the photo is at hand."""
    path = folder / "descriptions" / "twitter2017.jsonl"
    path.parent.mkdir()
    path.write_text('{"image_id": "train3", "blip2": "a sign", "owl": "a wall", "relatedness": 0.2}\n')
    wanted = [("captioned", "blip2", "a sign"), ("captioned", "owl", "a wall")]
    for scheme in ("official", "report"):
        posts = [p for s in SPLITS for p in DataSource(folder=folder, scheme=scheme).posts(TWEETS, s)]
        words = {p.id: [(w.source, w.by, w.text) for w in p.photo_words] for p in posts if p.photo_words}
        assert words == {"train3": wanted}
        assert all(p.image is None for p in posts)


def stand_ins(folder):
    (folder / "standins" / "photos").mkdir(parents=True)
    rows = ["twitter2017,train,train0,a.webp", "twitter2017,test,test1,b.webp", "mnre,train,train2.jpg,"]
    pairs = folder / "standins" / "pairs.csv"
    pairs.write_text("dataset,split,image_id,photo\n" + "".join(f"{row}\n" for row in rows))
    return pairs


def photos(source: DataSource, split: str) -> dict[str, str]:
    return {p.id: p.image.name for p in source.posts(TWEETS, split) if p.image is not None}


def test_stand_ins_are_used_where_they_lie_in_the_folder(folder):
    assert DataSource(folder=folder).photo_note == "no photos"
    assert photos(DataSource(folder=folder), "train") == {}
    stand_ins(folder)
    source = DataSource(folder=folder)
    assert source.photo_note == "caption-matched stand-in photos"
    assert photos(source, "train") == {"train0": "a.webp"}
    assert photos(source, "test") == {"test1": "b.webp"}


def test_originals_win_over_stand_ins(folder, tmp_path):
    stand_ins(folder)
    images = tmp_path / "images"
    images.mkdir()
    (images / "train7.jpg").write_bytes(b"")
    source = DataSource(folder=folder, images=images)
    assert source.photo_note == "original photos" and source.pairs_file is None
    assert photos(source, "train") == {"train7": "train7.jpg"}


def test_original_photos_are_known_by_what_lies_there_not_by_where(folder, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    (images / "train7.jpg").write_bytes(b"x")
    first = DataSource(folder=folder, images=images).photo_facts(TWEETS)
    assert first.startswith("original photos: ")
    moved = DataSource(folder=folder, images=images.rename(tmp_path / "moved"))
    assert moved.photo_facts(TWEETS) == first
    (tmp_path / "moved" / "train7.jpg").write_bytes(b"another")
    other = moved.photo_facts(TWEETS)
    (tmp_path / "moved" / "train8.jpg").write_bytes(b"x")
    assert len({first, other, moved.photo_facts(TWEETS)}) == 3
    assert DataSource(folder=folder).photo_facts(TWEETS) == "no photos"


def test_a_pairs_file_elsewhere(folder, tmp_path):
    pairs = stand_ins(folder).rename(tmp_path / "pairs.csv")
    assert photos(DataSource(folder=folder), "train") == {}
    assert photos(DataSource(folder=folder, pairs=pairs), "train") == {"train0": "a.webp"}


def test_photos_follow_their_post_into_the_reports_split(folder):
    stand_ins(folder)
    source = DataSource(folder=folder, scheme="report")
    found = {k: v for split in SPLITS for k, v in photos(source, split).items()}
    assert found == {"train0": "a.webp", "test1": "b.webp"}


@pytest.mark.parametrize(
    ("options", "split", "match"),
    [
        ({"scheme": "mine"}, "train", "unknown split scheme 'mine'; known: official, report"),
        ({}, "dev", "unknown split 'dev'; known: train, valid, test"),
        ({"scheme": "report"}, "dev", "unknown split 'dev'"),
    ],
)
def test_unknown_splits(folder, options, split, match):
    with pytest.raises(InputError, match=match):
        DataSource(folder=folder, **options).posts(TWEETS, split)


def test_a_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="train.txt cannot be read"):
        DataSource(folder=tmp_path / "nowhere").posts(TWEETS, "train")


def test_the_real_splits_have_the_known_sizes(shared_data):
    source = DataSource(folder=shared_data)
    assert [len(source.posts(TWEETS, s)) for s in SPLITS] == [3373, 723, 723]
    with_photo = [p for p in source.posts(TWEETS, "valid") if p.image is not None]
    assert 0.7 < len(with_photo) / 723 < 0.8 and all(p.image.is_file() for p in with_photo)


def test_all_datasets_are_those_that_lie_there_and_the_others_are_named(folder, caplog, tmp_path):
    source = DataSource(folder=folder)
    found = source.posts_of_all("train")
    assert len(found) == len(source.posts(TWEETS, "train")) + len(source.posts(find_dataset("mnre"), "train"))
    told = caplog.text.split("left out: ")[1]
    assert "twitter2015" in told and "mnre" not in told and "twitter2017" not in told
    with pytest.raises(InputError, match="has none of the datasets .*mnre"):
        DataSource(folder=tmp_path).posts_of_all("train")
