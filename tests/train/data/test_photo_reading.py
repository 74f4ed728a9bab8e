"""Photos read ahead for training: once, by the sources that are asked for, beside what files say."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.datasets.discovery import find_dataset
from mmdemo.photo_words.ahead import Ahead
from mmdemo.photo_words.kept import Found, Kept, default_folder, photo_key
from mmdemo.photo_words.objects import objects_source
from mmdemo.photo_words.ocr import ocr_source
from mmdemo.photo_words.source import SourceError
from mmdemo.types import InputError, PhotoWords, Post
from tests.photo_words.drawn import sign
from tests.tiny import write_data
from train.__main__ import app
from train.data import photo_reading
from train.data.photo_reading import counted_readings, sources_named, with_words_read
from train.data.prepare import check
from train.data.source import DataSource

TWEETS = find_dataset("twitter2017")
SIGN = PhotoWords(source="ocr", text="Oakland", score=0.99, box=(0.1, 0.1, 0.5, 0.5))
DOG = PhotoWords(source="objects", text="golden retriever", score=0.9)
CAPTION = PhotoWords(source="captioned", text="a dog by a sign", by="blip2")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMDEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(photo_reading, "_known", {})


@pytest.fixture
def reads(monkeypatch) -> list[list[str]]:
    """Photos that were read, by job; text and objects are found in those that hold a ``sign``."""
    jobs: list[list[str]] = []
    versions = {"ocr": ocr_source().version, "objects": objects_source().version}

    def read(photos, folder=None, sources=None, **_):
        jobs.append([photo.name for photo in photos])
        store = Kept(default_folder())
        for photo in photos:
            if "broken" in photo.name:
                continue
            said = {"ocr": (SIGN,), "objects": (DOG,)} if "sign" in photo.name else {}
            store.put(
                photo_key(photo),
                {s: Found(version=versions[s], words=said.get(s, ())) for s in sources},
            )
        return Ahead()

    monkeypatch.setattr(photo_reading, "read_ahead", read)
    return jobs


def post(folder: Path, name: str | None, *words: PhotoWords) -> Post:
    image = None
    if name:
        image = folder / name
        image.write_bytes(name.encode())
    return Post(text="Hi", tokens=("Hi",), image=image, photo_words=words)


def test_posts_get_what_files_say_and_what_is_read_off_their_photo(tmp_path, reads):
    posts = [
        post(tmp_path, "sign.jpg", CAPTION),
        post(tmp_path, "plain.jpg"),
        post(tmp_path, "broken.jpg", CAPTION),
        post(tmp_path, None, CAPTION),
    ]
    found = with_words_read(posts, ("ocr", "objects", "captioned"))
    assert [p.photo_words for p in found] == [(CAPTION, DOG, SIGN), (), (CAPTION,), (CAPTION,)]
    assert reads == [["sign.jpg", "plain.jpg", "broken.jpg"]]
    counts = counted_readings(posts, ("ocr", "objects", "captioned"))
    assert counts == {"read": 1, "nothing found": 1, "could not be read": 1}
    assert len(reads) == 1, "a photo is asked for once in a process, also one that could not be read"


def test_only_the_sources_that_are_asked_for_count(tmp_path, reads):
    told = post(tmp_path, "sign.jpg", CAPTION)
    assert with_words_read([told], ("objects",))[0].photo_words == (DOG,)
    assert with_words_read([told], ("described", "captioned"))[0].photo_words == (CAPTION,)
    assert reads == [["sign.jpg"]]
    assert counted_readings([told], ("captioned",)) == {}


def test_what_a_file_states_of_a_source_stands_in_the_place_of_what_is_read(tmp_path, reads):
    stated = replace(SIGN, text="OAKLAND!")
    (found,) = with_words_read([post(tmp_path, "sign.jpg", stated)], ("ocr", "objects"))
    assert found.photo_words == (stated, DOG)


def test_a_second_process_reads_nothing_again(tmp_path, reads, monkeypatch):
    posts = [post(tmp_path, "sign.jpg"), post(tmp_path, "plain.jpg")]
    first = with_words_read(posts, ("ocr", "objects"))
    monkeypatch.setattr(photo_reading, "_known", {})
    assert with_words_read(posts, ("ocr", "objects")) == first and len(reads) == 1


def test_a_source_that_cannot_be_had_is_an_error(tmp_path, monkeypatch, reads):
    def gone():
        raise SourceError("rapidocr is not installed")

    monkeypatch.setattr(photo_reading, "MAKERS", {"ocr": gone})
    with pytest.raises(InputError, match="photo_sources names ocr, which cannot be had: rapidocr is not"):
        with_words_read([post(tmp_path, "sign.jpg")], ("ocr",))
    assert reads == []


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("ocr", ("ocr",)), (" captioned, ocr,ocr", ("ocr", "captioned"))],
)
def test_sources_are_named_by_commas(stated, expected):
    assert sources_named(stated) == expected


@pytest.mark.parametrize(("stated", "told"), [("ocr,text", "names 'text'; known: ocr"), (" ,", "no source")])
def test_an_unknown_source_is_an_error(stated, told):
    with pytest.raises(InputError, match=told):
        sources_named(stated)


def test_a_limit_reads_no_more_photos_than_posts(tmp_path, reads):
    data = write_data(tmp_path / "data", 6)
    (tmp_path / "images").mkdir()
    for i in range(6):
        (tmp_path / "images" / f"train{i}.jpg").write_bytes(f"sign{i}".encode())
    source = DataSource(folder=data, images=tmp_path / "images", photo_sources=("objects",))
    questions = source.questions(TWEETS, "train", 2)
    assert [q.post.image.name for q in questions] == reads[0] == ["train0.jpg", "train1.jpg"]


def test_prepare_reads_the_photos_of_a_data_folder_and_counts_them(tmp_path):
    """The real thing, by processes of their own: a sign, an empty photo, and one that is none."""
    data, images = write_data(tmp_path / "data", 3, valid=1), tmp_path / "images"
    (data / "twitter2017" / "test.txt").write_text("IMGID:test0\nRome\tB-LOC\n")
    images.mkdir()
    sign(("Oakland", 20, 20), size=(240, 100)).save(images / "train0.jpg")
    sign(size=(240, 100)).save(images / "train1.jpg")
    (images / "train2.jpg").write_text("no photo")
    report = check(data, images, photo_sources=("ocr",))
    tweets = next(d for d in report.datasets if d.dataset == "twitter2017")
    train = next(s for s in tweets.splits if s.split == "train")
    assert train.readings == {"read": 1, "nothing found": 1, "could not be read": 1}
    assert sum(n for name, n in train.described.items() if "rapidocr" in name) == 1
    result = CliRunner().invoke(
        app,
        ["prepare", "--data", str(data), "--images", str(images), "--recipe", "words"]
        + ["--set", "photo_sources=ocr,described"],
    )
    assert "photos read for their words: read 1, nothing found 1, could not be read 1" in result.output


def test_sources_need_a_run_that_reads_words(tmp_path):
    data = write_data(tmp_path / "data", 3)
    result = CliRunner().invoke(app, ["prepare", "--data", str(data), "--set", "photo_sources=ocr"])
    assert result.exit_code != 0 and "needs photo_words=true" in str(result.exception)


def test_captioners_named_together_describe_as_one_in_the_order_of_their_names(tmp_path, reads):
    said = [PhotoWords(source="captioned", text=f"seen by {by}", by=by) for by in ("a", "b", "c")]
    sources = sources_named("captioned:c+a,objects")
    assert sources == ("objects", "captioned:c+a")
    photo = post(tmp_path, "sign.jpg", *said)
    (found,) = with_words_read([photo, replace(photo, photo_words=())], sources)[:1]
    assert [(one.by, one.text) for one in found.photo_words] == [
        ("c+a", "seen by c . seen by a"),
        ("", "golden retriever"),
    ]
    (lacking,) = with_words_read(
        [replace(photo, photo_words=tuple(said[:2]))], sources_named("captioned:c+a")
    )
    assert [one.text for one in lacking.photo_words] == ["seen by a"], "who said nothing is left out"


@pytest.mark.parametrize("text", ["ocr:a", "captioned:", "captioned:a+", "seen"])
def test_sources_that_there_are_not_are_named(text):
    with pytest.raises(InputError, match="photo_sources names"):
        sources_named(text)
