"""A frozen export has a number and a hash, is never changed unseen, and training takes it by its name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.formats import jsonl
from mmdemo.formats.given.frozen import posts_of
from mmdemo.review.frozen import freeze
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError
from tests.review.conftest import TWEETS, tweets
from train.data.reviewed_posts import read_extra

PERSON = {"start": 0, "end": 2, "label": "PER"}


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> Store:
    """A store with a blind double queue of three posts, the first with a photo and decided by two."""
    (tmp_path / "r.sqlite3").write_bytes(template.read_bytes())
    store = Store(f"sqlite:///{tmp_path / 'r.sqlite3'}", tmp_path / "photos")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "quay.png")
    first, *rest = tweets(3)
    store.make_queue("q", TWEETS, double=True)
    store.add("q", [replace(first, post=replace(first.post, image=tmp_path / "quay.png")), *rest])
    decide(store, 0)
    return store


def decide(store: Store, place: int) -> None:
    for name in ("Ann", "Bob"):
        review = store.page("q", name).reviews[place]
        store.decide("q", review.key, name, {"entities": [PERSON]}, version=review.version)


def test_what_is_frozen_says_all_of_its_time(desk: Store, tmp_path: Path) -> None:
    made = freeze(desk, "q", "harbour", tmp_path / "frozen")
    assert (made.number, made.posts, made.fresh) == (1, 1, True)
    facts = json.loads((made.folder / "frozen.json").read_text())
    assert facts["sha256"] == made.sha256 and facts["number"] == 1 and facts["queue"] == "q"
    assert facts["agreement"][0]["entities"]["exact"] == 1.0
    assert {one["label"] for one in facts["labels"]} >= {"PER", "LOC"}
    assert any(one["guideline"] for one in facts["labels"])
    (row,) = jsonl.FORMAT.read(made.folder / "posts.jsonl")
    assert [one.by for one in row.decided] == ["Ann", "Bob"]
    assert (made.folder / str(row.post.image)).is_file()


def test_nothing_new_is_no_new_number(desk: Store, tmp_path: Path) -> None:
    first = freeze(desk, "q", "harbour", tmp_path / "frozen")
    again = freeze(desk, "q", "harbour", tmp_path / "frozen")
    assert (again.number, again.fresh, again.sha256) == (1, False, first.sha256)
    decide(desk, 1)
    second = freeze(desk, "q", "harbour", tmp_path / "frozen")
    assert (second.number, second.posts) == (2, 2) and second.sha256 != first.sha256
    assert sorted(one.name for one in (tmp_path / "frozen" / "harbour").iterdir()) == ["1", "2"]


def test_training_takes_it_by_name(desk: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze(desk, "q", "harbour", tmp_path / "frozen")
    decide(desk, 1)
    freeze(desk, "q", "harbour", tmp_path / "frozen")
    monkeypatch.chdir(tmp_path)
    assert [len(read_extra(Path(name), TWEETS)) for name in ("harbour", "harbour@1", "harbour@2")] == [
        2,
        1,
        2,
    ]
    (asked,) = read_extra(Path("harbour@1"), TWEETS)
    assert Path(str(asked.post.image)).is_file()
    for name in ("quay", "harbour@3", "harbour@x"):
        with pytest.raises(InputError, match="there is no frozen export"):
            read_extra(Path(name), TWEETS)


@pytest.mark.parametrize("what", ["posts.jsonl", "photos"])
def test_what_has_been_changed_since_is_refused(desk: Store, tmp_path: Path, what: str) -> None:
    made = freeze(desk, "q", "harbour", tmp_path / "frozen")
    path = made.folder / what
    path = next(path.iterdir()) if path.is_dir() else path
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError, match="has been changed since it was frozen"):
        posts_of("harbour", tmp_path / "frozen")


def test_what_cannot_be_frozen_is_one_sentence_and_leaves_nothing(desk: Store, tmp_path: Path) -> None:
    desk.make_queue("none", TWEETS)
    for queue, name, says in (
        ("none", "x", "no decided post"),
        ("q", "../x", "must be 1 to 60 letters"),
        ("gone", "x", "no queue"),
    ):
        with pytest.raises(InputError, match=says):
            freeze(desk, queue, name, tmp_path / "frozen")
    assert not list((tmp_path / "frozen").iterdir())
