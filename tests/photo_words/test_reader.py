"""A reader: each source by itself, each photo once, and a failure that costs no more than its own words."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.photo_words.reader import PhotoReader, configured_sources
from mmdemo.photo_words.source import SourceError
from mmdemo.types import InputError
from tests.photo_words.drawn import Saying, absent, failing, line, sign

TEXT = [line("PADRES"), line("★")]
NAMES = [line("ballplayer", "objects", 0.8)]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    sign(("PADRES", 20, 20)).save(file)
    return file


def reader(folder: Path, **makers) -> PhotoReader:
    return PhotoReader(folder / "kept", tuple(makers), makers=makers)


def test_the_words_of_all_sources_go_through_the_rules(tmp_path, photo):
    found = reader(tmp_path, ocr=Saying(TEXT), objects=Saying(NAMES, "objects")).read(photo)
    assert [words.text for words in found.words] == ["ballplayer", "PADRES"]
    assert found.dropped_counts == {"too short": 1}
    assert found.notes == () and found.unread == ()


def test_a_photo_is_read_once_by_whatever_name_and_reader(tmp_path, photo):
    text = Saying(TEXT)
    first = reader(tmp_path, ocr=text)
    assert first.kept(photo) is None
    found = first.read(photo)
    copy = tmp_path / "copy.png"
    copy.write_bytes(photo.read_bytes())
    assert reader(tmp_path, ocr=text).read(copy) == found == reader(tmp_path, ocr=text).kept(str(copy))
    assert text.asked == 1
    assert first.read(photo, again=True) == found and text.asked == 2


def test_an_image_in_memory_is_known_by_its_pixels(tmp_path):
    text = Saying(TEXT)
    made = reader(tmp_path, ocr=text)
    assert made.read(sign(("A", 1, 1))) == made.kept(sign(("A", 1, 1)))
    assert made.kept(sign(("B", 1, 1))) is None and text.asked == 1


def test_another_version_of_a_model_reads_anew(tmp_path, photo):
    reader(tmp_path, ocr=Saying(TEXT)).read(photo)
    newer = Saying([line("PADRES WIN")], version="2")
    made = reader(tmp_path, ocr=newer)
    assert made.kept(photo) is None
    assert [words.text for words in made.read(photo).words] == ["PADRES WIN"]


def test_the_same_photo_twice_at_once_is_read_once(tmp_path, photo):
    text = Saying(TEXT)
    inside = threading.Event()
    text.before = lambda: inside.wait(0.2) and None
    made = reader(tmp_path, ocr=text)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made.read, [photo] * 4))
    assert text.asked == 1 and len(set(found)) == 1


def test_two_photos_do_not_wait_for_each_other(tmp_path, photo):
    text = Saying(TEXT)
    together = threading.Barrier(2, timeout=30)
    text.before = lambda: together.wait() and None
    made = reader(tmp_path, ocr=text)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(made.read, [photo, sign(("B", 1, 1))]))
    assert text.asked == 2


@pytest.mark.parametrize(
    ("broken", "note"),
    [
        (failing("captioned", SourceError("took longer than 3 s")), "captioned: took longer than 3 s"),
        (failing("captioned", RuntimeError("x")), "captioned: it failed on this photo (RuntimeError)"),
        (absent("cannot be loaded"), "captioned: cannot be loaded"),
    ],
)
def test_a_source_that_fails_costs_only_itself_and_says_so(tmp_path, photo, broken, note):
    text = Saying(TEXT)
    found = reader(tmp_path, ocr=text, captioned=broken).read(photo)
    assert [words.text for words in found.words] == ["PADRES"]
    assert found.notes == (note,) and found.unread == ("captioned",)
    caption = Saying([line("a man at bat", "captioned", None)], "captioned")
    mended = reader(tmp_path, ocr=text, captioned=caption)
    known = mended.kept(photo)
    assert known is not None and known.unread == ("captioned",) and len(known.words) == 1
    assert [words.text for words in mended.read(photo).words] == ["a man at bat", "PADRES"]
    assert text.asked == 1  # what was known was not read again


def test_a_photo_without_words_is_known_to_have_none(tmp_path, photo):
    made = reader(tmp_path, ocr=Saying([]))
    assert made.read(photo).words == ()
    known = made.kept(photo)
    assert known is not None and known.words == () and known.unread == ()


def test_a_photo_that_ocr_cannot_read_is_still_a_photo(tmp_path, photo):
    made = reader(tmp_path, ocr=failing("ocr", MemoryError()), objects=Saying(NAMES, "objects"))
    found = made.read(photo)
    assert [words.text for words in found.words] == ["ballplayer"] and found.unread == ("ocr",)


def test_what_is_no_photo_is_told(tmp_path):
    file = tmp_path / "note.jpg"
    file.write_text("no photo")
    made = reader(tmp_path, ocr=Saying(TEXT))
    with pytest.raises(InputError, match="is not a readable"):
        made.read(file)
    for call in (made.read, made.kept):
        with pytest.raises(InputError, match="does not exist"):
            call(tmp_path / "gone.jpg")


def test_hostile_words_come_out_plain(tmp_path, photo):
    text = Saying(
        [line("\u202e<img src=x onerror=alert(1)>\x1b]0;gone\x07"), line("שלום"), line("${alert(1)}")]
    )
    found = reader(tmp_path, ocr=text).read(photo)
    assert [words.text for words in found.words] == [
        "<img src=x onerror=alert(1)>]0;gone",
        "שלום",
        "${alert(1)}",
    ]


def test_without_sources_nothing_is_read(tmp_path, photo):
    made = PhotoReader(tmp_path / "kept", ())
    assert made.read(photo).words == () and made.kept(photo) is not None
    assert not (tmp_path / "kept").exists()


def test_sources_are_switched_by_the_environment(monkeypatch):
    for name in ("MMDEMO_PHOTO_WORDS", "MMDEMO_CAPTIONER"):
        monkeypatch.delenv(name, raising=False)
    assert configured_sources() == ("ocr", "objects")
    monkeypatch.setenv("MMDEMO_CAPTIONER", "owner/name@" + "0" * 40)
    assert configured_sources() == ("ocr", "objects", "captioned")
    monkeypatch.setenv("MMDEMO_PHOTO_WORDS", "objects, ocr")
    assert configured_sources() == ("ocr", "objects")
    assert configured_sources("captioned") == ("captioned",)
    assert configured_sources("none") == ()
    with pytest.raises(InputError, match="unknown source of a photo's words 'described'; known: ocr"):
        configured_sources("described")


def test_the_real_sources_read_a_drawn_sign(tmp_path):
    made = PhotoReader(tmp_path, ("ocr", "objects"))
    found = made.read(Image.merge("RGB", sign(("HERSHEYPARK", 60, 100), height=60).split()))
    assert "HERSHEYPARK" in [words.text for words in found.words]
    assert found.notes == () and found.unread == ()
