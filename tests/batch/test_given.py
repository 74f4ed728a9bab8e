"""Batch reads what reviews read: archives, folders and other tools' files, by the same readers."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.batch.given import FOLDER, rows_of
from mmdemo.batch.job import CHUNK
from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.table import FORMATS
from mmdemo.types import Ask, InputError, Pair, Post, Question, Relation

CONLL = "IMGID:a\nAnn\tB-PER\nsings\tO\n\nIMGID:b\nBob\tB-PER\nin\tO\nRome\tB-LOC\n\n"
TWEETS, PAIRS = find_dataset("twitter2017"), find_dataset("mnre")


def rows(path: Path, dataset=TWEETS, **options) -> tuple[list[dict], tuple[str, ...]]:
    output = path.parent / "out.jsonl"
    with rows_of(path, output, dataset, **options) as found:
        read = [json.loads(line) for line in found.posts.read_text(encoding="utf-8").splitlines()]
    assert not list(path.parent.glob(f"{FOLDER}*")), "nothing stays beside the output"
    return read, found.notes


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.jsonl", '{"text": "Ann"}\n'),
        (
            "posts.jsonl",
            '{"id": 1}\n{"tokens": ["a"]}\nbroken\n{"text": "Ann"}\n',
        ),  # a row's matter
        ("posts.jsonl", '{"id": 1}\nbroken\n'),
        ("posts.jsonl", ""),
        ("posts.csv", "id,text\n1,Ann\n"),
    ],
)
def test_rows_with_a_text_are_read_where_they_lie(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    with rows_of(path, tmp_path / "out.jsonl", TWEETS) as found:
        assert (found.posts, found.images, found.notes) == (path, tmp_path, ())


def test_an_archive_with_photos(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    path = tmp_path / "given.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/train.txt", CONLL)
        archive.writestr("data/x.bin", b"\0")
        archive.write(tmp_path / "a.png", "data/images/a.png")
    with rows_of(path, tmp_path / "out.jsonl", TWEETS) as found:
        first, second = [json.loads(line) for line in found.posts.read_text(encoding="utf-8").splitlines()]
        assert first["text"] == "Ann sings" and Path(first["image"]).read_bytes()[:4] == b"\x89PNG"
        assert second["text"] == "Bob in Rome" and second["image"] is None
    told = " ".join(found.notes)
    assert "'b'" in told and "x.bin" in told and FOLDER not in told


def test_a_photo_whose_name_is_no_utf8(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    try:
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    except OSError:
        pytest.skip("this file system takes no such names")
    path = tmp_path / "posts.json"
    path.write_text(json.dumps([{"tokens": ["Ann"], "labels": ["B-PER"], "image": name}]))
    with rows_of(path, tmp_path / "out.jsonl", TWEETS) as found:
        row = json.loads(found.posts.read_text(encoding="utf-8"))
        assert Path(row["image"]).read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["posts.jsonl", "posts.txt"])
def test_photos_may_lie_in_an_archive(tmp_path, name):
    packed, path = tmp_path / "photos.zip", tmp_path / name
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(tmp_path / "x.png", "in/a.png")
    path.write_text('{"text": "Ann", "image": "in/a.png"}\n' if name == "posts.jsonl" else CONLL)
    with rows_of(path, tmp_path / "out.jsonl", TWEETS, packed) as found:
        row = json.loads(found.posts.read_text(encoding="utf-8").splitlines()[0])
        assert (found.images / row["image"]).read_bytes()[:4] == b"\x89PNG"
    packed.write_bytes(b"PK damaged")
    with (
        pytest.raises(InputError, match=r"photos\.zip"),
        rows_of(path, tmp_path / "out.jsonl", TWEETS, packed),
    ):
        pass


def test_a_post_that_asks_about_pairs_is_a_row_for_each(tmp_path):
    post = Post(
        id="p",
        text="Ann met Bob and Eve",
        tokens=("Ann", "met", "Bob", "and", "Eve"),
        offsets=((0, 3), (4, 7), (8, 11), (12, 15), (16, 19)),
        relations=tuple(Relation(head=(0, 1), tail=tail, label="None") for tail in ((2, 3), (4, 5))),
    )
    asked = tuple(Pair(head=one.head, tail=one.tail) for one in post.relations or ())
    path = tmp_path / "posts.json"
    FORMATS["label-studio"].write(
        path, [Question(post=post, ask=Ask(entities=False, relations=asked))], PAIRS
    )
    read, _ = rows(path, PAIRS, pairs=True)
    assert [(row["id"], row["text"]) for row in read] == [
        ("p#1", "[E1] Ann [/E1] met [E2] Bob [/E2] and Eve"),
        ("p#2", "[E1] Ann [/E1] met Bob and [E2] Eve [/E2]"),
    ]
    read, _ = rows(path, PAIRS)
    assert [(row["id"], row["text"]) for row in read] == [("p", post.text)]


def test_json_lines_of_words_alone(tmp_path):
    path = tmp_path / "words.jsonl"
    path.write_text('{"id": "1", "tokens": ["Ann", "sings"], "ner_tags": ["B-PER", "O"]}\n')
    assert [row["text"] for row in rows(path)[0]] == ["Ann sings"]


def test_damaged_rows_are_told_and_the_rest_is_read(tmp_path):
    path = tmp_path / "posts.json"
    good = {"data": {"text": "Ann sings"}, "annotations": []}
    path.write_text(json.dumps([good, {"data": {"text": 7}}]))
    read, notes = rows(path)
    assert [row["text"] for row in read] == ["Ann sings"]
    assert any("could not be read" in note for note in notes)


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    for name, content in (("x.bin", b"\0\1"), ("x.zip", b"PK")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as told, rows_of(tmp_path / name, tmp_path / "out.jsonl", TWEETS):
            pass
        assert FOLDER not in str(told.value)
    with pytest.raises(InputError, match="cannot be written"):
        with rows_of(tmp_path / "x.txt", tmp_path / "none" / "out.jsonl", TWEETS):
            pass


def test_a_job_over_such_a_file_goes_on_where_it_was_cut_off(tmp_path, tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    path, output = tmp_path / "posts.txt", tmp_path / "out.jsonl"
    path.write_text(CONLL * (CHUNK // 2 + 20))
    asked = ["batch", "--dataset", "twitter2017", "--preset", "tiny", "--input", str(path), "--output"]
    assert CliRunner().invoke(app, [*asked, str(output)], catch_exceptions=False).exit_code == 0
    whole = output.read_bytes()
    assert len(whole.splitlines()) == CHUNK + 40
    output.write_bytes(whole[:-100])
    again = CliRunner().invoke(app, [*asked, str(output)], catch_exceptions=False)
    assert (
        again.exit_code == 0 and f"{CHUNK} were there" in again.stderr and "has changed" not in again.stderr
    )
    assert output.read_bytes() == whole
