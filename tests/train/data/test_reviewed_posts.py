"""Reviewed posts in training: what is refused, what leaks, and what a comparison says."""

from pathlib import Path

import pytest

from mmdemo.cells.files import write_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.jsonl import FORMAT
from mmdemo.posts.same_text import text_key
from mmdemo.types import Ask, Entity, InputError, Pair, PhotoWords, Post, Question, Relation
from tests.tiny import write_data
from train.data.questions import gold_of
from train.data.reviewed_posts import compare, find_leaks, read_extra, without_leaks
from train.data.source import DataSource

ANN = Entity(start=0, end=1, label="PER")
TWEETS, PAIRS = find_dataset("twitter2017"), find_dataset("mnre")


def post(*tokens: str, entities=(ANN,), **fields) -> Post:
    return Post(text=" ".join(tokens), tokens=tokens, entities=entities, **fields)


def question(asked: Post) -> Question:
    return Question(post=asked, ask=Ask(entities=True))


def write(file: Path, posts: list[Post]) -> Path:
    FORMAT.write(file, [question(one) for one in posts], TWEETS)
    return file


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> DataSource:
    return DataSource(folder=write_data(tmp_path_factory.mktemp("data"), posts=6))


def test_labelled_posts_are_read_back(tmp_path):
    file = write(tmp_path / "extra.jsonl", [post("Ann", "sings", id="1"), post("hi", entities=(), id="2")])
    assert [asked.post.id for asked in read_extra(file, TWEETS)] == ["1", "2"]


def test_reviewed_posts_bring_the_words_of_their_photos(tmp_path):
    words = PhotoWords(source="described", text="A sign.", by="Ann")
    file = write(tmp_path / "extra.jsonl", [post("Ann", "sings", id="1", photo_words=(words,))])
    (asked,) = read_extra(file, TWEETS)
    assert asked.post.photo_words == (words,)


def test_a_line_with_several_relations_gives_each_of_them(tmp_path):
    """Any reviewed line gives what a task needs: its entities, or a question for each of its relations."""
    first, second, third = (0, 1), (1, 2), (2, 3)
    relations = (
        Relation(head=first, tail=second, label="/per/per/peer"),
        Relation(head=first, tail=third, label="/per/org/member_of"),
    )
    both = post("Ann", "Bob", "NASA", relations=relations, id="1")
    file = write(tmp_path / "extra.jsonl", [both])
    asked = read_extra(file, PAIRS)
    assert [one.ask.relations for one in asked] == [(Pair(head=r.head, tail=r.tail),) for r in relations]
    assert [gold_of(one, PAIRS) for one in asked] == [r.label for r in relations]


@pytest.mark.parametrize(
    ("posts", "dataset", "message"),
    [
        ([post("Ann", entities=None, id="7")], TWEETS, "none of its 1 posts states entities"),
        ([post("Ann")], PAIRS, "states a pair's relation"),
        ([], TWEETS, "holds no posts"),
        ([post("Ann", entities=(Entity(start=0, end=1, label="OTHER"),))], TWEETS, "OTHER"),
    ],
)
def test_posts_without_a_fitting_answer_are_refused(tmp_path, posts, dataset, message):
    file = tmp_path / "extra.jsonl"
    FORMAT.write(file, [question(one) for one in posts], find_dataset("twitter2015"))
    with pytest.raises(InputError, match=message):
        read_extra(file, dataset)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_held_out_text_is_a_leak_however_it_is_written(source, split):
    held_out = source.posts(TWEETS, split)[0]
    shouted = question(post(*(token.upper() for token in held_out.tokens), "!", id="leak"))
    new = question(post("Zoë", "hums", id="new"))
    assert find_leaks([new, shouted], source, TWEETS) == [shouted]
    with pytest.raises(InputError, match="1 of 2 extra posts.*--drop-leaks.*leak"):
        without_leaks((new, shouted), source, TWEETS, drop=False)
    assert without_leaks((new, shouted), source, TWEETS, drop=True) == (new,)


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
