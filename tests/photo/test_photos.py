"""Finding a post's photo: originals in the archives' layouts, stand-ins by a pairs file."""

from pathlib import Path

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.reading import read_split, with_photos
from mmdemo.formats.table import SOURCES
from mmdemo.photo.lookup import photo_lookup
from mmdemo.photo.opening import load_photo
from mmdemo.types import Ask, InputError, Post, Question


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    ("dataset", "split", "place", "image_id"),
    [
        ("twitter2015", "train", "1015799.jpg", "1015799"),
        ("twitter2015", "train", "twitter2015_images/1015799.jpg", "1015799"),
        ("twitter2017", "valid", "IJCAI2019_data/twitter2017_images/O_12.jpg", "O_12"),
        ("twitter2017", "valid", "NER_data/twitter2017_images/17_06_1.png", "17_06_1"),
        ("mnre", "train", "twitter_19_31_0_13.jpg", "twitter_19_31_0_13.jpg"),
        ("mnre", "valid", "img_org/val/twitter_19_31_0_13.jpg", "twitter_19_31_0_13.jpg"),
        ("mnre", "test", "RE_data/img_org/test/a.JPG", "a.jpg"),
    ],
)
def test_originals_are_found_in_every_layout(
    tmp_path: Path, dataset: str, split: str, place: str, image_id: str
) -> None:
    path = touched(tmp_path / place)
    lookup = photo_lookup(tmp_path, None, find_dataset(dataset), split)
    assert lookup(image_id) == lookup(image_id.removesuffix(".jpg")) == path
    assert lookup("other") is None and lookup(None) is None


def test_mnre_splits_do_not_mix(tmp_path: Path) -> None:
    touched(tmp_path / "img_org" / "train" / "a.jpg")
    assert photo_lookup(tmp_path, None, find_dataset("mnre"), "test")("a.jpg") is None


@pytest.mark.parametrize("image_id", ["../secret", "../secret.jpg", "/etc/passwd", "", "notes", "notes.txt"])
def test_an_id_reaches_only_photos_of_the_folder(tmp_path: Path, image_id: str) -> None:
    touched(tmp_path / "secret.jpg")
    touched(tmp_path / "images" / "notes.txt")
    assert photo_lookup(tmp_path / "images", None, find_dataset("twitter2015"), "train")(image_id) is None


def pairs_file(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(["dataset,split,image_id,photo,similarity", *rows]))
    return path


def test_stand_ins_are_found_by_dataset_and_split(tmp_path: Path) -> None:
    path = pairs_file(
        tmp_path,
        "mnre,test,twitter_1.jpg,a.webp,0.5",
        "mnre,test,twitter_2.jpg,,0.3",
        "mnre,train,twitter_3.jpg,b.webp,0.5",
        "twitter2017,test,O_1,c.webp,0.5",
    )
    mnre = photo_lookup(None, path, find_dataset("mnre"), "test")
    photos = tmp_path / "photos"
    assert mnre("twitter_1.jpg") == mnre("twitter_1") == photos / "a.webp"
    assert mnre("twitter_2.jpg") is mnre("twitter_3.jpg") is mnre("O_1") is None
    assert photo_lookup(None, path, find_dataset("twitter2017"), "test")("O_1") == photos / "c.webp"


def test_no_source_finds_nothing() -> None:
    assert photo_lookup(None, None, find_dataset("mnre"), "test")("x") is None


def test_with_photos_sets_the_path_or_none(tmp_path: Path) -> None:
    lookup = photo_lookup(None, pairs_file(tmp_path, "mnre,test,1,a.webp,0.5"), find_dataset("mnre"), "test")
    posts = [Post(text="a", tokens=("a",), image_id=image_id) for image_id in ("1", "2", None)]
    found = with_photos([Question(post=post, ask=Ask()) for post in posts], lookup)
    assert [row.post.image for row in found] == [tmp_path / "photos" / "a.webp", None, None]


def test_bad_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not both"):
        photo_lookup(tmp_path, tmp_path, find_dataset("mnre"), "test")
    with pytest.raises(InputError, match="image folder .*gone does not exist"):
        photo_lookup(tmp_path / "gone", None, find_dataset("mnre"), "test")
    with pytest.raises(InputError, match="pairs file .*gone.csv cannot be read"):
        photo_lookup(None, tmp_path / "gone.csv", find_dataset("mnre"), "test")
    with pytest.raises(InputError, match="pairs.csv line 2 names a photo outside its folder: '../x.webp'"):
        photo_lookup(None, pairs_file(tmp_path, "mnre,test,1,../x.webp,0.5"), find_dataset("mnre"), "test")
    (tmp_path / "pairs.csv").write_text("dataset,split,photo,image_id\nmnre,test,a.webp\n")
    with pytest.raises(InputError, match="pairs.csv line 2 has fewer fields"):
        photo_lookup(None, tmp_path / "pairs.csv", find_dataset("mnre"), "test")
    (tmp_path / "pairs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="pairs.csv line 1 must name the columns"):
        photo_lookup(None, tmp_path / "pairs.csv", find_dataset("mnre"), "test")
    (tmp_path / "pairs.csv").write_bytes(b"dataset,split,image_id,photo\nmnre,test,\xff,x\n")
    with pytest.raises(InputError, match="pairs.csv is not a readable csv"):
        photo_lookup(None, tmp_path / "pairs.csv", find_dataset("mnre"), "test")


def test_real_photos_open(shared_data: Path) -> None:
    folder = shared_data / "real_pairs"
    rows = SOURCES["mnre"].read(folder / "mnre.jsonl")
    lookup = photo_lookup(folder / "photos", None, find_dataset("mnre"), "train")
    posts = [row.post for row in with_photos(rows, lookup)]
    assert all(post.image for post in posts)
    assert all(load_photo(post)[1] is None for post in posts)


@pytest.mark.parametrize(("dataset", "found"), [("twitter2015", 2514), ("twitter2017", 567), ("mnre", 1260)])
def test_real_stand_ins_are_found(shared_data: Path, dataset: str, found: int) -> None:
    record = find_dataset(dataset)
    lookup = photo_lookup(None, shared_data / "standins" / "pairs.csv", record, "test")
    rows = with_photos(read_split(shared_data, record, "test"), lookup)
    photos = [row.post.image for row in rows if row.post.image]
    assert len(photos) == found
    assert all(Path(photo).is_file() for photo in photos)
