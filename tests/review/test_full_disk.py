"""Photos on a full disk: their posts wait, and that is told; nothing is left behind; a retry adds them."""

import base64
import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.given.photos import Sought
from mmdemo.formats.reading import read_posts
from mmdemo.review import photos as module
from mmdemo.review.photos import Unkept, keep_photo
from mmdemo.types import Ask, InputError, Post, Question


@pytest.fixture
def items(tmp_path) -> list[Question]:
    """Three posts, each with a photo of its own."""
    found = []
    for i, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{i}.png")
        post = Post(text=f"Ann sings {i}", tokens=("Ann", "sings", str(i)), id=f"p{i}")
        found.append(Question(post=replace(post, image=tmp_path / f"{i}.png"), ask=Ask()))
    return found


def fill(monkeypatch, after: int) -> None:
    """Let that many photos through; then the disk is full."""
    done, sync = [], os.fsync

    def full(number: int) -> None:
        done.append(number)
        if len(done) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(number)

    monkeypatch.setattr(module.os, "fsync", full)


def left(folder: Path) -> list[str]:
    return sorted(file.suffix for file in folder.rglob("*") if file.is_file())


def test_a_post_whose_photo_cannot_be_stored_waits_for_the_next_import(store, items, monkeypatch):
    store.make_queue("may", find_dataset("twitter2017"))
    fill(monkeypatch, after=1)
    done = store.add("may", items)
    assert (done.added, done.known, done.held) == (1, 0, 2)
    (warning,) = done.warnings
    assert warning.startswith("not added, as their photos cannot be stored: post 'p1', post 'p2': ")
    assert "No space left" in warning and warning.endswith("it adds what is not there yet")
    assert left(store.photos) == [".png"], "the first one's, and no half of the second"
    assert store.page("may", "Ann").total == 1, "no post stands there without its photo"
    monkeypatch.undo()
    done = store.add("may", items)
    assert (done.added, done.known, done.held, done.warnings) == (2, 1, 0, ())
    assert all(review.post.image for review in store.page("may", "Ann").reviews)


def test_a_photo_that_was_not_there_is_filled_in_by_the_next_import(store, items):
    store.make_queue("may", find_dataset("twitter2017"))
    bare = [replace(item, post=replace(item.post, image=None)) for item in items[:2]]
    store.add("may", bare)
    store.decide("may", 1, "Ann", {"entities": [], "links": []}, version=0)
    done = store.add("may", items)
    assert (done.added, done.known) == (1, 2)
    assert done.warnings == ("2 posts that were there without their photo have it now",)
    reviews = store.page("may", "Ann").reviews
    assert [Path(r.post.image).read_bytes() for r in reviews] == [
        Path(item.post.image).read_bytes() for item in items
    ]
    assert reviews[0].decision is not None, "nothing else of the post has changed"
    assert store.add("may", items).warnings == ()


@pytest.mark.parametrize("source", ["file", "pixels"])
def test_what_cannot_be_written_is_not_taken_for_no_photo(tmp_path, monkeypatch, source):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    photo = tmp_path / "a.png" if source == "file" else Image.new("RGB", (8, 8), "red")
    fill(monkeypatch, after=0)
    with pytest.raises(Unkept, match="cannot be written: No space left on device"):
        keep_photo(photo, tmp_path / "photos")
    assert left(tmp_path / "photos") == []
    (tmp_path / "b.png").write_bytes(b"no photo")
    monkeypatch.undo()
    with pytest.raises(InputError) as caught:
        keep_photo(tmp_path / "b.png", tmp_path / "photos")
    assert not isinstance(caught.value, Unkept)


def test_a_name_longer_than_any_file_s_is_a_photo_that_is_not_there(store, tmp_path):
    file = tmp_path / "posts.csv"
    file.write_text(f"text,image\nAnn sings,{'x' * 300}.jpg\nBob sings,{'é' * 3000}\n")
    store.make_queue("may", find_dataset("twitter2017"))
    sought = Sought()
    done = store.add("may", read_posts(file, "csv", find_dataset("twitter2017"), sought=sought))
    assert done.added == 2 and len(sought.missing) == 2
    assert sought.notes()[0].startswith("photos: 0 of 2 found; not found: 'xxx")


#: A red square as an iPhone stores photos: what reads HEIC here cannot write it.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA"
    "AAAAACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAABkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAA"
    "AA5waXRtAAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNw"
    "AAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHB"
    "crAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAA"
    "AAABAAEEgQIDBAAAACFtZGF0AAAAFSgBrwQY/Hk46//6WU/fUBdsDEdDgA=="
)


@pytest.mark.parametrize(
    ("suffix", "kept"), [("heic", ".heic"), ("avif", ".avif"), ("tif", ".tif"), ("mpo", ".jpg")]
)
def test_photos_as_phones_and_browsers_save_them_are_kept(tmp_path, suffix, kept):
    """MPO: a phone's JPEG with a second picture."""
    image, more = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    options = {"save_all": True, "append_images": [more]} if suffix == "mpo" else {}
    if suffix == "heic":
        (tmp_path / "a.heic").write_bytes(HEIC)
    else:
        image.save(tmp_path / f"a.{suffix}", **options)
    name = keep_photo(tmp_path / f"a.{suffix}", tmp_path / "photos")
    assert name.endswith(kept) and (tmp_path / "photos" / name).is_file()
    assert keep_photo(tmp_path / f"a.{suffix}", tmp_path / "photos") == name
