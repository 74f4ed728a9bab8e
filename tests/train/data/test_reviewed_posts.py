"""Reviewed posts in training: what is refused, what leaks, and what a comparison says."""

from pathlib import Path

import pytest

from mmdemo.cells.files import write_json
from mmdemo.formats.jsonl import write_jsonl
from mmdemo.posts.same_text import text_key
from mmdemo.types import Entity, InputError, Post
from tests.tiny import write_data
from train.data.reviewed_posts import compare, find_leaks, read_extra, without_leaks
from train.data.source import DataSource

ANN = Entity(start=0, end=1, label="PER")


def post(*tokens: str, entities=(ANN,), **fields) -> Post:
    return Post(text=" ".join(tokens), tokens=tokens, entities=entities, **fields)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> DataSource:
    return DataSource(folder=write_data(tmp_path_factory.mktemp("data"), posts=6))


def test_labelled_posts_are_read_back(tmp_path):
    write_jsonl(tmp_path / "extra.jsonl", [post("Ann", "sings", id="1"), post("hello", entities=(), id="2")])
    assert [p.id for p in read_extra(tmp_path / "extra.jsonl", "twitter2017")] == ["1", "2"]


@pytest.mark.parametrize(
    ("posts", "dataset", "message"),
    [
        ([post("Ann", entities=None, id="7")], "twitter2017", "post 1 .7. lacks entities"),
        ([post("Ann")], "mnre", "lacks a marked pair"),
        ([], "twitter2017", "holds no posts"),
        ([post("Ann", entities=(Entity(start=0, end=1, label="OTHER"),))], "twitter2017", "OTHER"),
    ],
)
def test_posts_without_a_fitting_answer_are_refused(tmp_path, posts, dataset, message):
    write_jsonl(tmp_path / "extra.jsonl", posts)
    with pytest.raises(InputError, match=message):
        read_extra(tmp_path / "extra.jsonl", dataset)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_held_out_text_is_a_leak_however_it_is_written(source, split):
    held_out = source.posts("twitter2017", split)[0]
    shouted = post(*(token.upper() for token in held_out.tokens), "!", id="leak")
    new = post("Zoë", "hums", id="new")
    assert find_leaks([new, shouted], source, "twitter2017") == [shouted]
    with pytest.raises(InputError, match="1 of 2 extra posts.*--drop-leaks.*leak"):
        without_leaks((new, shouted), source, "twitter2017", drop=False)
    assert without_leaks((new, shouted), source, "twitter2017", drop=True) == (new,)


def test_symbols_alone_still_tell_texts_apart():
    assert text_key(post("!!!")) != text_key(post("???"))


def metrics(folder: Path, f1: float, posts: int = 9) -> Path:
    split = {"posts": posts, "photo": {"entity": {"f1": f1}}}
    write_json(folder / "metrics.json", {"splits": {"valid": split, "test": split}})
    return folder


def test_before_and_after_speak_of_the_same_posts(tmp_path):
    before, after = metrics(tmp_path / "a", 0.5), metrics(tmp_path / "b", 0.75)
    assert "test: F1 50.00 before, 75.00 after" in compare(before, after)
    with pytest.raises(InputError, match="same valid posts"):
        compare(before, metrics(tmp_path / "c", 0.75, posts=8))
