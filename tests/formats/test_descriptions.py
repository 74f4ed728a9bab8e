"""A file of what a dataset's photos show: found, read by its keys, matched by photo, refused in words."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import Files
from mmdemo.datasets.toml_file import read_toml, write_toml
from mmdemo.formats.descriptions import (
    Descriptions,
    counted,
    descriptions_file,
    descriptions_of,
    read_descriptions,
    read_scores,
    with_descriptions,
)
from mmdemo.formats.given.photos import Photos
from mmdemo.formats.reading import read_posts, read_split
from mmdemo.formats.shared.photo_words import MAX_CHARACTERS
from mmdemo.types import Ask, InputError, PhotoWords, Post, Question
from tests.made_up import odd_dataset
from train.data.source import DataSource


def written(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def row(image_id: str | None, image: str | None = None) -> Question:
    return Question(post=Post(text="a", tokens=("a",), image_id=image_id, image=image), ask=Ask())


def said(found: Descriptions, image_id: str) -> list[tuple[str, str, str]]:
    return [(one.source, one.by, one.text) for one in found.of(row(image_id))]


LINE = {
    "image_id": "7.jpg",
    "split": "test",
    "text": "the post itself",
    "blip2": "a sign",
    "relatedness": 0.3,
    "faces": 2,
    "empty": None,
    "owl": ["a wall", "a street"],
    "alt_text": "Our sign.",
    "photo_words": [{"source": "ocr", "text": "PADRES", "score": 0.5}],
}


def test_texts_describe_and_numbers_do_not(tmp_path: Path) -> None:
    found = read_descriptions(written(tmp_path / "x.jsonl", LINE))
    assert said(found, "7") == [
        ("captioned", "blip2", "a sign"),
        ("captioned", "owl", "a wall"),
        ("captioned", "owl", "a street"),
        ("described", "", "Our sign."),
        ("ocr", "", "PADRES"),
    ]


def test_named_keys_alone_and_in_their_order(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", LINE, {"image_id": 8, "owl": "a tree"})
    found = read_descriptions(path, ("owl", "blip2"))
    assert [text for *_, text in said(found, "7")] == ["a wall", "a street", "a sign"]
    assert [text for *_, text in said(found, "8")] == ["a tree"], "a line may lack a key, and ids be numbers"
    with pytest.raises(
        InputError, match="no line of .* has the key 'blip3'; there are alt_text, blip2, empty"
    ):
        read_descriptions(path, ("blip3",))


def test_posts_are_found_by_photo_id_or_file_name(tmp_path: Path) -> None:
    first = {"image_id": "a.b", "blip2": "a sign"}
    path = written(tmp_path / "x.jsonl", first, {"image_id": "a.b.png", "blip2": "a wall"})
    rows = [row("a.b"), row("a.b.jpg"), row(None, "img/a.b.webp"), row("A.b"), row(None)]
    found = with_descriptions(rows, read_descriptions(path))
    assert [[one.text for one in each.post.photo_words] for each in found] == [["a sign", "a wall"]] * 3 + [
        [],
        [],
    ]
    assert counted([each.post for each in found]) == {"blip2": 3}


def test_what_a_post_has_already_stands_first(tmp_path: Path) -> None:
    own = PhotoWords(source="described", text="Mine.")
    post = replace(row("7").post, photo_words=(own,))
    found = read_descriptions(written(tmp_path / "x.jsonl", {"image_id": "7", "blip2": "a sign"}))
    (both,) = with_descriptions([replace(row("7"), post=post)], found)
    assert both.post.photo_words == (own, PhotoWords(source="captioned", text="a sign", by="blip2"))


@pytest.mark.parametrize(
    ("line", "keys", "says"),
    [
        ([], (), "is not a JSON object"),
        ({"blip2": "a"}, (), "has no image_id"),
        ({"image_id": True, "blip2": "a"}, (), "'image_id', has True where text should be"),
        ({"image_id": "7", "blip2": 3}, ("blip2",), "'blip2', has 3 where text should be"),
        ({"image_id": "7", "blip2": "\ud83d"}, (), "half of a surrogate pair"),
        ({"image_id": "7", "photo_words": [{}]}, (), "of the source None"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, keys: Sequence[str], says: str) -> None:
    path = written(tmp_path / "x.jsonl", {"image_id": "6", "blip2": "a"}, line)
    with pytest.raises(InputError, match=rf"x\.jsonl line 2,? (has )?.*{says.removeprefix('has ')}"):
        read_descriptions(path, keys)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the descriptions .*x.jsonl cannot be read: No such file"):
        read_descriptions(tmp_path / "x.jsonl")


def test_what_is_cut_is_told_once_and_a_changed_file_is_read_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "x.jsonl", {"image_id": "7", "owl": "a" * 5_000})
    with caplog.at_level(logging.WARNING):
        one, again = read_descriptions(path), read_descriptions(path)
    assert len(caplog.messages) == 1 and "x.jsonl: cut short: a description of more" in caplog.text
    assert one is again and len(one.of(row("7"))[0].text) == MAX_CHARACTERS
    written(path, {"image_id": "7", "owl": "short"})
    assert said(read_descriptions(path), "7") == [("captioned", "owl", "short")]


# ---------------------------------------------------------------- of a dataset

ODD_SET = odd_dataset()


def test_the_record_names_the_file_and_its_keys(tmp_path: Path) -> None:
    files = Files(format="jsonl", train="t.jsonl", descriptions="photos.jsonl", description_keys=("owl",))
    (tmp_path / "dataset.toml").write_text(write_toml(replace(ODD_SET, files=files)), encoding="utf-8")
    dataset = read_toml(tmp_path)
    assert dataset.files == files
    with pytest.raises(InputError, match="photos.jsonl cannot be read"):
        descriptions_of(tmp_path, dataset)
    written(tmp_path / "photos.jsonl", LINE)
    assert len(said(descriptions_of(tmp_path, dataset), "7")) == 2


def test_a_folder_of_descriptions_beside_the_data_is_found(tmp_path: Path) -> None:
    assert descriptions_file(tmp_path, ODD_SET) is None and not descriptions_of(tmp_path, ODD_SET).words
    path = written(tmp_path / "descriptions" / f"{ODD_SET.name}.jsonl", LINE)
    assert descriptions_file(tmp_path, ODD_SET) == path and said(descriptions_of(tmp_path, ODD_SET), "7")


def test_a_number_of_each_photo_is_read_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    assert read_scores(tmp_path, ODD_SET, "relatedness") == {}
    others: list[dict[str, object]] = [{"image_id": 8, "relatedness": "high"}, {"image_id": 9}]
    written(tmp_path / "descriptions" / f"{ODD_SET.name}.jsonl", LINE, *others)
    assert read_scores(tmp_path, ODD_SET, "relatedness") == {"7": 0.3}
    post = Post(text="a", tokens=("a",), image_id="7.png")
    asked = DataSource(folder=tmp_path).scores(ODD_SET, [post, replace(post, image_id=None)], "relatedness")
    assert asked[0] == 0.3 and np.isnan(asked[1])


def test_posts_of_a_file_get_them(tmp_path: Path) -> None:
    posts = written(tmp_path / "posts.jsonl", {"tokens": ["a"], "image_id": "7", "alt": "Mine."})
    photos = Photos(descriptions=written(tmp_path / "x.jsonl", {"image_id": "7", "blip2": "a sign"}))
    (one,) = read_posts(posts, "jsonl", None, photos)
    assert [words.text for words in one.post.photo_words] == ["Mine.", "a sign"]


def test_shared_descriptions_are_of_the_posts(shared_data: Path) -> None:
    """As many as the data's own README counts; nearly every post's photo is described."""
    photos = {"twitter2015": 8257, "twitter2017": 4819, "mnre": 9201}
    for name, count in photos.items():
        dataset = bundled()[name]
        found = descriptions_of(shared_data, dataset)
        assert len(found.words) == count
        rows = read_split(shared_data, dataset, "test")
        words = [one for each in with_descriptions(rows, found) for one in each.post.photo_words]
        assert {one.source for one in words} == {"captioned"}
        by = counted([each.post for each in with_descriptions(rows, found)])
        assert by["blip2"] > 0.99 * len(rows), by
