"""The one reader: which format a file is in, its photos, csv and folders, a dataset's splits."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.schema import Files
from mmdemo.formats.given.photos import Photos
from mmdemo.formats.reading import guess, read_posts, read_split
from mmdemo.formats.table import FORMATS, SOURCES
from mmdemo.types import Ask, Entity, InputError, Pair, Post, Question, Relation
from tests.made_up import odd_dataset

ODD_SET = odd_dataset()
PAIRS = replace(ODD_SET, tasks=("relations",))
ENTITIES = replace(ODD_SET, tasks=("entities",), relations=())
BAND, PART = Entity(start=0, end=1, label="band"), Relation(head=(0, 1), tail=(1, 2), label="part-of")


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_told_by_itself(tmp_path: Path, name: str) -> None:
    found = FORMATS[name]
    post = Post(text="a b", tokens=("a", "b"), id="1", entities=(BAND,), relations=(PART,))
    kept = {"relations": replace(post, entities=None), "entities": replace(post, relations=None)}
    fitting = [p for p in (post, *kept.values()) if not found.problem(Question(post=p, ask=Ask()))]
    path = tmp_path / f"file{found.suffix}"
    found.write(path, [Question(post=fitting[0], ask=Ask())], ODD_SET)
    assert guess(path) == name
    assert len(read_posts(path, "auto", ODD_SET)) == 1


def test_what_is_not_clear_is_asked(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_text("x")
    with pytest.raises(
        InputError, match=f"'x.docx' holds is not clear; name its format: {', '.join(SOURCES)}"
    ):
        guess(tmp_path / "x.docx")
    with pytest.raises(InputError, match="unknown format 'xml'"):
        read_posts(tmp_path / "x.docx", "xml", None)


# ---------------------------------------------------------------- texts that are not split yet


@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
def test_json_reads_texts_without_any_label(tmp_path: Path, name: str) -> None:
    rows = [
        {"text": "Ann, here", "image": "a.jpg", "id": 7, "alt_text": "a band"},
        {"text": "[E1] Ann [/E1] met [E2] Bob [/E2]", "image_id": "b"},
    ]
    lines = "\n".join(map(json.dumps, rows)) if name == "x.jsonl" else json.dumps(rows)
    (tmp_path / name).write_text(lines)
    photo(tmp_path / "a.jpg")
    one, two = read_posts(tmp_path / name, "auto", ODD_SET)
    assert (one.post.tokens, one.post.id, one.post.image_id) == (("Ann", ",", "here"), "7", "a")
    assert one.post.image == tmp_path / "a.jpg" and one.post.photo_words[0].text == "a band"
    assert one.post.entities is None and one.ask == Ask(entities=True, relations="all")
    assert two.post.tokens == ("Ann", "met", "Bob") and two.post.image_id == "b"
    assert two.ask == Ask(entities=False, relations=(Pair(head=(0, 1), tail=(2, 3)),))
    (tmp_path / name).write_text(lines.replace("[/E2]", ""))
    with pytest.raises(InputError, match=r"\[/E2\] missing"):
        read_posts(tmp_path / name, "auto", ODD_SET)


def test_csv_reads_texts_marks_and_photos(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    (tmp_path / "x.csv").write_text(
        'text,image,id\n"Ann, here",a.jpg,7\n[E1] Ann [/E1] met [E2] Bob [/E2],,\n'
    )
    one, two = read_posts(tmp_path / "x.csv", "auto", ODD_SET)
    assert (one.post.tokens, one.post.id, one.post.image_id) == (("Ann", ",", "here"), "7", "a")
    assert one.post.image == tmp_path / "a.jpg" and one.ask == Ask(entities=True)
    assert one.post.offsets[2] == (5, 9)
    assert (two.post.tokens, two.post.id) == (("Ann", "met", "Bob"), "x:2")
    assert two.ask == Ask(entities=False, relations=(Pair(head=(0, 1), tail=(2, 3)),))


@pytest.mark.parametrize(
    ("content", "dataset", "says"),
    [
        ("a,b\n1,2\n", ODD_SET, "line 1 must name the columns text"),
        ("text\n   \n", ODD_SET, "line 2: the text is empty"),
        ("text\n[E1] a [/E1]\n", ODD_SET, "line 2: .*missing"),
        ("text\n[E1] a [/E1] [E2] b [/E2]\n", ENTITIES, "line 2: .*marks ask for a relation"),
        ("text\na b\n", PAIRS, "line 2: .*missing"),
        ('text\n"a\n', ODD_SET, "not readable csv"),
        ("text,image\na,../../etc/passwd\n", ODD_SET, "names a photo outside its folders"),
        ("text,image\na,/etc/passwd\n", ODD_SET, "names a photo outside its folders"),
    ],
)
def test_bad_csv_is_one_sentence(tmp_path: Path, content: str, dataset: object, says: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(InputError, match=says):
        read_posts(tmp_path / "x.csv", "auto", dataset)


def test_a_folder_pairs_texts_with_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "posts"
    photo(folder / "a.jpg")
    photo(folder / "lonely.png")
    (folder / "a.txt").write_text("Ann here\n")
    (folder / "b.txt").write_text("no photo")
    monkeypatch.chdir(tmp_path)  # a relative path must work too
    one, two = read_posts(Path("posts"), "auto", ENTITIES)
    assert (one.post.id, one.post.image, two.post.image) == ("a", folder / "a.jpg", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no .txt file"):
        read_posts(tmp_path / "empty", "folder", ENTITIES)


# ---------------------------------------------------------------- photos


def test_photos_are_found_by_name_then_by_id(tmp_path: Path) -> None:
    photo(tmp_path / "images" / "p1.jpg")
    photo(tmp_path / "trusted" / "t.jpg")
    line = {"tokens": ["a"], "image_id": "p1"}
    lines = [
        {**line, "id": "1"},
        {**line, "id": "2", "image": "t.jpg"},
        {**line, "id": "3", "image_id": "gone"},
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    photos = Photos(folder=tmp_path / "images", trusted=(tmp_path / "trusted",))
    found = [row.post.image for row in read_posts(tmp_path / "x.jsonl", "auto", ODD_SET, photos)]
    assert found == [tmp_path / "images" / "p1.jpg", tmp_path / "trusted" / "t.jpg", None]


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "a\0b"])
def test_no_file_reaches_photos_outside(tmp_path: Path, name: str) -> None:
    photo(tmp_path / "secret.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.jsonl").write_text(json.dumps({"tokens": ["a"], "image": name}))
    with pytest.raises(InputError, match="names a photo"):
        read_posts(tmp_path / "in" / "x.jsonl", "auto", ODD_SET)


# ---------------------------------------------------------------- splits


def test_splits_are_where_the_record_says(tmp_path: Path) -> None:
    post = Post(text="a b", tokens=("a", "b"), id="1", entities=(BAND,), relations=(PART,))
    row = Question(post=post, ask=Ask(entities=True, relations="all"))
    FORMATS["jsonl"].write(tmp_path / "train.jsonl", [row], ODD_SET)
    assert read_split(tmp_path, ODD_SET, "train") == [row]
    with pytest.raises(InputError, match="unknown split 'dev'"):
        read_split(tmp_path, ODD_SET, "dev")
    with pytest.raises(InputError, match="test.jsonl cannot be read"):
        read_split(tmp_path, ODD_SET, "test")
    with pytest.raises(InputError, match="Odd labels names no file for its split 'train'"):
        read_split(tmp_path, replace(ODD_SET, files=Files()), "train")
