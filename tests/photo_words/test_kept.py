"""What is kept on disk: bounded, replaced in one step, and never in the way of an answer."""

import errno
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.photo_words.kept import Found, Kept, default_folder, photo_key
from mmdemo.types import InputError
from tests.photo_words.drawn import line

WORDS = Found(version="1", words=(line("PADRES"), line("win")))


def test_what_was_kept_comes_back_beside_what_others_found(tmp_path):
    store = Kept(tmp_path / "new" / "folder")
    assert store.get("a") == {}
    store.put("a", {"ocr": WORDS})
    named = Found(version="2", words=(line("suit", "objects", 0.4),))
    store.put("a", {"objects": named})
    assert Kept(tmp_path / "new" / "folder").get("a") == {"ocr": WORDS, "objects": named}
    assert os.listdir(store.folder) == ["a.json"]


def test_the_least_recently_used_go_first(tmp_path):
    store = Kept(tmp_path, most=3)
    for number, key in enumerate("abc"):
        store.put(key, {"ocr": WORDS})
        os.utime(tmp_path / f"{key}.json", (0, 10_000 * (number + 1)))
    assert store.get("a")  # looked at: now the newest
    store.put("d", {"ocr": WORDS})
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["a", "c", "d"]


def test_the_folder_stays_bounded(tmp_path):
    store = Kept(tmp_path, most=100)
    for number in range(250):
        store.put(f"{number}", {"ocr": WORDS})
        assert len(os.listdir(tmp_path)) <= 102
    assert store.get("249") and not store.get("0")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"ocr": 3}',
        b'{"ocr": {"version": "1"}}',
        b'{"ocr": {"version": 1, "words": []}}',
        b'{"ocr": {"version": "1", "words": [{"source": "objects", "text": "a"}]}}',
        b'{"ocr": {"version": "1", "words": [{"source": "ocr", "text": "a", "score": 7}]}}',
        b"[" * 100_000,
        json.dumps({"ocr": {"version": "1", "words": ["a" * 2**21]}}).encode(),
    ],
)
def test_a_damaged_file_counts_as_none_and_is_replaced(tmp_path, data):
    store = Kept(tmp_path)
    (tmp_path / "a.json").write_bytes(data)
    assert store.get("a") == {}
    store.put("a", {"ocr": WORDS})
    assert store.get("a") == {"ocr": WORDS}


def test_a_full_disk_goes_on_without_and_says_so_once(tmp_path, monkeypatch, caplog):
    store = Kept(tmp_path)
    store.put("a", {"ocr": WORDS})

    def full(path: Path, *arguments: object, **options: object) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    store.put("b", {"ocr": WORDS})
    store.put("a", {"objects": WORDS})
    monkeypatch.undo()
    assert store.get("a") == {"ocr": WORDS} and os.listdir(tmp_path) == ["a.json"]
    assert [record.getMessage() for record in caplog.records] == [
        f"what photos say is not kept in {tmp_path}: No space left on device"
    ]


def test_a_folder_that_cannot_be_made_goes_on_without(tmp_path):
    (tmp_path / "file").write_text("")
    store = Kept(tmp_path / "file" / "below")
    store.put("a", {"ocr": WORDS})
    assert store.get("a") == {}


def test_several_threads_leave_whole_files(tmp_path):
    store = Kept(tmp_path, most=20)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.put(str(n % 7), {"ocr": WORDS}), range(80)))
    assert all(store.get(str(n)) == {"ocr": WORDS} for n in range(7))
    assert len(os.listdir(tmp_path)) == 7


def test_what_a_writer_that_died_left_is_swept(tmp_path):
    old, new = tmp_path / ".a.json.1.2.part", tmp_path / ".b.json.1.2.part"
    for file in (old, new):
        file.write_text("half")
    os.utime(old, (0, time.time() - 9999))
    Kept(tmp_path, most=3).put("c", {"ocr": WORDS})
    assert sorted(os.listdir(tmp_path)) == [".b.json.1.2.part", "c.json"]


# ---------------------------------------------------------------- which photo


def test_a_key_is_of_the_content_and_not_of_the_name(tmp_path):
    one, two = tmp_path / "1.png", tmp_path / "2.png"
    photo = Image.new("RGB", (8, 4), "red")
    photo.save(one)
    two.write_bytes(one.read_bytes())
    assert photo_key(one) == photo_key(str(two)) and len(photo_key(one)) == 64
    assert photo_key(photo) == photo_key(photo.copy())
    keys = {photo_key(photo), photo_key(photo.resize((4, 8))), photo_key(photo.convert("L"))}
    assert len(keys) == 3


@pytest.mark.parametrize("name", ["gone.png", "a" * 5000, "nul\0.png", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path, name):
    with pytest.raises(InputError, match="does not exist|cannot be read"):
        photo_key(f"{tmp_path}/{name}")


def test_a_file_over_the_bound_is_not_read(tmp_path):
    file = tmp_path / "large.png"
    with file.open("wb") as stream:
        stream.truncate(26 * 2**20)
    with pytest.raises(InputError, match="larger than the 25 MB"):
        photo_key(file)


def test_the_folder_is_the_person_s_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MMDEMO_CACHE", str(tmp_path))
    assert default_folder() == tmp_path / "photo_words"
    monkeypatch.delenv("MMDEMO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "mmdemo" / "photo_words"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_folder() == tmp_path / "home" / ".cache" / "mmdemo" / "photo_words"
