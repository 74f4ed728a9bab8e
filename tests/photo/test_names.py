"""One photo is found by every spelling of its name, and never another one."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.photo.lookup import photo_lookup, photos_below
from mmdemo.photo.names import SUFFIXES, file_name, is_link, spelling, without_suffix
from mmdemo.types import InputError


def touched(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".JFIF", ".Heic"])
def test_every_suffix_is_a_photo_s(tmp_path: Path, suffix: str) -> None:
    touched(tmp_path / f"quay_7{suffix}")
    lookup = photo_lookup(tmp_path, None, None, "train")
    assert lookup("quay_7") == lookup(f"quay_7{suffix}") == tmp_path / f"quay_7{suffix}"
    assert without_suffix(f"quay_7{suffix}") == "quay_7"


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        (unicodedata.normalize("NFD", "Zürich_9.jpg"), "Zürich_9"),
        ("Zürich_9.jpg", unicodedata.normalize("NFD", "Zürich_9")),
        ("old pier (2).png", "old%20pier%20%282%29"),
        ("old%20pier.png", "old pier"),
        ("old pier.png", " old pier "),
        ("old  pier.png", "old pier"),
        ("DSC_01.JPG", "dsc_01.jpg"),
        ("a1.jpg", "C:\\Users\\Eve\\photos\\a1.jpg"),
        ("a1.jpg", "photos/a1"),
        ("a1.webp", "https://pbs.example.org/media/a1.jpg?format=jpg&name=large"),
        ("a1.jpg", "/data/upload/3/0badcafe-a1.jpg"),
        ("a1.jpg", "/data/local-files/?d=set%2Fa1.jpg"),
        ("naïve #3.jpg", "s3://bucket/na%C3%AFve%20%233.jpg"),
    ],
)
def test_a_name_is_found_in_its_other_spellings(tmp_path: Path, stored: str, named: str) -> None:
    touched(tmp_path / stored, tmp_path / "another.jpg")
    assert photo_lookup(tmp_path, None, None, "train")(named) == tmp_path / stored


def test_what_is_called_exactly_so_comes_first(tmp_path: Path) -> None:
    touched(tmp_path / "a.jpg", tmp_path / "A.jpg", tmp_path / "a%20b.jpg", tmp_path / "a b.jpg")
    touched(tmp_path / "two.jpg", tmp_path / "two.png")
    lookup = photo_lookup(tmp_path, None, None, "train")
    for name in ("a", "A", "a%20b", "a b"):
        assert lookup(name) == tmp_path / f"{name}.jpg"
    assert lookup("two.png") == tmp_path / "two.png" and lookup("two.jpg") == tmp_path / "two.jpg"


def test_of_two_photos_of_one_spelling_a_third_spelling_finds_none(tmp_path: Path) -> None:
    touched(tmp_path / "quay.jpg", tmp_path / "QUAY.jpg")
    assert photo_lookup(tmp_path, None, None, "train")("Quay") is None


def test_photos_below_are_found_unless_two_folders_have_one_of_the_name(tmp_path: Path) -> None:
    touched(tmp_path / "x" / "y" / "1.jpg", tmp_path / "x" / "2.jpg", tmp_path / "z" / "2.jpg")
    lookup = photos_below(tmp_path)
    assert lookup("1") == tmp_path / "x" / "y" / "1.jpg" and lookup("2") is None


def test_too_many_files_below_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmdemo.photo.lookup.MAX_FILES", 2)
    touched(*(tmp_path / "x" / f"{i}.txt" for i in range(3)))
    with pytest.raises(InputError, match="more than 2 files"):
        photos_below(tmp_path)


def test_links_are_told_from_paths() -> None:
    assert all(map(is_link, ("https://a.b/c.jpg", "s3://x/y", "/data/upload/1.jpg")))
    assert not any(map(is_link, ("photos/a.jpg", "C:\\a.jpg", "a:b", "http", "//host/a.jpg")))


@given(st.text(max_size=40))
def test_no_name_trips_the_spelling(name: str) -> None:
    assert "/" not in file_name(name) and spelling(name) == spelling(f"  {name}".strip())


@given(st.text(alphabet="aB9_- é%#?&", min_size=1, max_size=12).filter(str.strip))
def test_a_photo_is_found_by_the_name_it_has(name: str) -> None:
    from mmdemo.photo.lookup import PhotoLookup

    path = Path(f"{name}.jpg")
    assert PhotoLookup({name: path})(name) == PhotoLookup({name: path})(f"{name}.jpg") == path
