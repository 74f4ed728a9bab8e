"""The words of a photo in a store: kept, corrected with a log, undone, exported."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mmdemo.formats.reading import read_posts
from mmdemo.formats.shared.photo_words import MAX_CHARACTERS, MOST, read_words, refuse, words_json
from mmdemo.formats.table import FORMATS
from mmdemo.review.export import apply_corrections, export
from mmdemo.review.records import Changed, Leased, Review
from mmdemo.review.store.photos.words import PhotoConflict
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError, PhotoWords, Question
from tests.review.conftest import TWEETS, tweets

HOSTILE = "<script>alert(1)</script> ${x} \u202egnp.exe \0 قرب"
SIGN = PhotoWords(source="ocr", text="PADRES", score=0.93, box=(0.125, 0.2, 0.5, 0.25), by="rapidocr")
SHIRT = PhotoWords(source="objects", text="jersey", score=0.5)
ALT = PhotoWords(source="described", text=HOSTILE)
WORDS = (SIGN, SHIRT, ALT)


def with_words(item: Question, *words: PhotoWords) -> Question:
    return replace(item, post=replace(item.post, photo_words=words))


@pytest.fixture
def desk(store: Store) -> Store:
    store.make_queue("q", TWEETS)
    one, two = tweets(2)
    store.add("q", [with_words(one, *WORDS), two])
    return store


def first(store: Store) -> Review:
    return store.page("q", "Ann").reviews[0]


def said(store: Store) -> list[str]:
    return [one.text for one in first(store).post.photo_words]


def test_a_post_keeps_the_words_of_its_photo(desk: Store) -> None:
    one, two = desk.page("q", "Ann").reviews
    assert (one.post.photo_words, two.post.photo_words) == (WORDS, ())
    assert (one.photo_version, desk.photo_history(one.key)) == (0, ())


def test_an_import_fills_in_what_was_lacking_and_changes_nothing_else(desk: Store) -> None:
    one, two = tweets(2)
    added = desk.add("q", [with_words(one, SIGN), with_words(two, SHIRT)])
    assert (added.added, added.known) == (0, 2)
    assert added.warnings == ("1 posts that were there without words of their photo have them now",)
    assert [review.post.photo_words for review in desk.page("q", "Ann").reviews] == [WORDS, (SHIRT,)]
    key = desk.page("q", "Ann").reviews[1].key
    desk.change_photo_words("q", key, "Ann", [], version=0)
    assert desk.add("q", [with_words(two, SHIRT)]).warnings == (), "what a reviewer took away stays away"


def test_what_a_reviewer_changes_is_theirs_and_logged(desk: Store) -> None:
    """Parts can be removed and edited; an edited one has no score of a machine."""
    key = first(desk).key
    edited = [words_json([SIGN])[0] | {"text": "PADRES 7"}, *words_json([ALT])]
    found = desk.change_photo_words("q", key, "Ann", edited, version=0)
    mine = replace(SIGN, text="PADRES 7", score=None, by="Ann")
    assert found.post.photo_words == first(desk).post.photo_words == (mine, ALT)
    assert found.photo_version == 1 and found.version == 0, "no decision was made"
    (change,) = desk.photo_history(key)
    assert (change.kind, change.reviewer, change.before, change.after) == (
        "change",
        "Ann",
        WORDS,
        (mine, ALT),
    )
    again = desk.change_photo_words("q", key, "Ann", words_json([mine, ALT]), version=1)
    assert again.photo_version == 1 and len(desk.photo_history(key)) == 1, "the same words are no change"


def test_a_description_replaces_the_same_persons_alone(desk: Store) -> None:
    key = first(desk).key
    desk.describe_photo("q", key, "Ann", " A jersey. ", version=0)
    desk.describe_photo("q", key, "Bob", "A player.", version=1)
    desk.describe_photo("q", key, "Ann", "A red jersey.", version=2)
    assert said(desk) == ["PADRES", "jersey", HOSTILE, "A player.", "A red jersey."]
    assert [one.by for one in first(desk).post.photo_words[3:]] == ["Bob", "Ann"]
    desk.describe_photo("q", key, "Ann", "", version=3)
    assert said(desk) == ["PADRES", "jersey", HOSTILE, "A player."]


def test_changes_are_undone_one_by_one_by_whoever_made_them(desk: Store) -> None:
    key = first(desk).key
    desk.describe_photo("q", key, "Ann", "one", version=0)
    desk.describe_photo("q", key, "Ann", "two", version=1)
    desk.undo_photo_words("q", key, "Ann", version=2)
    assert said(desk)[-1] == "one"
    desk.describe_photo("q", key, "Bob", "three", version=3)
    with pytest.raises(InputError, match="Bob has changed the words of this photo since"):
        desk.undo_photo_words("q", key, "Ann", version=4)
    desk.undo_photo_words("q", key, "Bob", version=4)
    assert desk.undo_photo_words("q", key, "Ann", version=5).post.photo_words == WORDS
    with pytest.raises(InputError, match="nothing to take back"):
        desk.undo_photo_words("q", key, "Ann", version=6)
    kinds = [(change.kind, change.reviewer) for change in desk.photo_history(key)]
    a, b = "change", "undo"
    assert kinds == [(a, "Ann"), (a, "Ann"), (b, "Ann"), (a, "Bob"), (b, "Bob"), (b, "Ann")]


def test_decisions_and_words_are_undone_apart(desk: Store) -> None:
    key = first(desk).key
    desk.decide("q", key, "Ann", {"entities": []}, version=0)
    desk.describe_photo("q", key, "Ann", "one", version=0)
    assert desk.undo("q", "Ann").keys == (key,) and said(desk)[-1] == "one"
    assert [event.kind for event in desk.history(key)] == ["decide", "undo"]


def test_nobodys_change_is_overwritten_unseen(desk: Store) -> None:
    key = first(desk).key
    desk.describe_photo("q", key, "Bob", "A player.", version=0)
    with pytest.raises(
        PhotoConflict, match="somebody has changed the words of the photo of post 'p0'"
    ) as error:
        desk.describe_photo("q", key, "Ann", "A jersey.", version=0)
    assert error.value.review.photo_version == 1 and said(desk)[-1] == "A player."
    desk.lease(key, "Bob")
    with pytest.raises(Leased):
        desk.describe_photo("q", key, "Ann", "A jersey.", version=1)
    with pytest.raises(Leased):
        desk.undo_photo_words("q", key, "Ann", version=1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("PADRES", "not a list"),
        ([{"source": "ocr", "text": "\ud83d"}], "half of a surrogate pair"),
        ([{"source": "ocr", "text": "a" * (MAX_CHARACTERS + 1)}], "more than 2,000 characters"),
        ([{"source": "ocr", "text": "a"}] * (MOST + 1), "more than 300 texts"),
        ([{"source": "nobody", "text": "a"}], "of the source 'nobody'"),
    ],
)
def test_forged_words_change_nothing(desk: Store, words: object, says: str) -> None:
    key = first(desk).key
    with pytest.raises(InputError, match=says):
        desk.change_photo_words("q", key, "Ann", words, version=0)
    assert first(desk).post.photo_words == WORDS and desk.photo_history(key) == ()


def test_a_forged_place_changes_nothing(desk: Store) -> None:
    desk.make_queue("other", TWEETS)
    key = first(desk).key
    for queue, number in (("other", key), ("q", 10**6), ("none", key)):
        with pytest.raises(InputError, match="there is no"):
            desk.describe_photo(queue, number, "Ann", "A jersey.", version=0)
    with pytest.raises(InputError, match="the description has 3 where text should be"):
        desk.describe_photo("q", key, "Ann", 3, version=0)  # type: ignore[arg-type]
    assert desk.photo_history(key) == ()


def test_the_log_only_grows(desk: Store) -> None:
    desk.describe_photo("q", first(desk).key, "Ann", "A jersey.", version=0)
    for statement in ("UPDATE photo_changes SET reviewer = 'Bob'", "DELETE FROM photo_changes"):
        with pytest.raises((DBAPIError, InputError)), desk.engine.begin() as connection:
            connection.execute(text(statement))
    (change,) = desk.photo_history(first(desk).key)
    assert change.reviewer == "Ann"


def test_exports_carry_them_or_say_that_they_cannot(desk: Store, tmp_path: Path) -> None:
    for review in desk.page("q", "Ann").reviews:
        answer = {"entities": [{"start": 0, "end": 2, "label": "PER"}]}
        desk.decide("q", review.key, "Ann", answer, version=0)
    done = export(desk, "q", tmp_path / "out.jsonl", "jsonl")
    assert (done.posts, done.lacking) == (2, ())
    one, two = FORMATS["jsonl"].read(tmp_path / "out.jsonl", TWEETS)
    assert (one.post.photo_words, two.post.photo_words) == (WORDS, ())
    assert "\u202e" in (tmp_path / "out.jsonl").read_text(encoding="utf-8"), "as it is, for programs"
    plain = export(desk, "q", tmp_path / "out.txt", "conll")
    assert plain.posts == 2 and plain.left_out == {}
    assert plain.lacking == ("CoNLL does not hold the words of photos: 1 post written without",)
    assert HOSTILE not in (tmp_path / "out.txt").read_text(encoding="utf-8")


def test_words_of_a_stored_post_are_json_that_any_database_takes(desk: Store) -> None:
    with desk.engine.connect() as connection:
        stored = connection.execute(text("SELECT photo_words FROM posts ORDER BY id")).scalars().all()
    assert stored[0].isascii() and json.loads(stored[0]) == words_json(WORDS) and stored[1] is None


# ---------------------------------------------------------------- corrections


@pytest.fixture
def exported(desk: Store, tmp_path: Path) -> Path:
    """A whole export of two decided posts, of which the first has words of its photo."""
    for review in desk.page("q", "Ann").reviews:
        desk.decide("q", review.key, "Ann", {"entities": []}, version=0)
    export(desk, "q", tmp_path / "out.jsonl", "jsonl")
    return tmp_path / "out.jsonl"


def corrected(desk: Store, file: Path, change: Callable[[list[dict[str, Any]]], None]) -> Changed:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    change(rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return apply_corrections(desk, "q", read_posts(file, "auto", TWEETS), "Eve")


def test_corrections_of_words_come_back_and_are_the_correctors(desk: Store, exported: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["photo_words"][0]["text"] = "PADRES 12"
        del rows[0]["photo_words"][1]
        rows[1]["photo_words"] = [{"source": "described", "text": "a dog"}]

    changed = corrected(desk, exported, change)
    one, two = desk.page("q", "Ann").reviews
    assert changed.keys == (one.key, two.key) and changed.kept == {}
    sign, alt = one.post.photo_words
    assert (sign.text, sign.by, sign.score, sign.box) == ("PADRES 12", "Eve", None, SIGN.box)
    assert alt == read_words(words_json([ALT]), "", refuse)[0], "what was not touched stays as it was"
    assert [w.text for w in two.post.photo_words] == ["a dog"]
    assert [c.reviewer for c in desk.photo_history(one.key)] == ["Eve"]
    assert one.decision is not None and one.decision.reviewer == "Ann", "the words are no decision"
    back = desk.undo_photo_words("q", one.key, "Eve", version=one.photo_version)
    assert back.post.photo_words == WORDS


def test_a_file_of_the_same_words_or_of_none_changes_nothing(desk: Store, exported: Path) -> None:
    assert corrected(desk, exported, lambda rows: None) == Changed()
    assert corrected(desk, exported, lambda rows: rows[0].pop("photo_words")) == Changed()
    assert first(desk).post.photo_words == WORDS


def test_words_that_somebody_edits_meanwhile_are_kept_and_the_rest_is_taken(
    desk: Store, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["photo_words"] = [{"source": "described", "text": "another"}]
        rows[0]["entities"] = [{"start": 0, "end": 1, "label": "PER"}]

    def busy(*_: object, **__: object) -> None:
        raise InputError("Bob is editing this post")

    monkeypatch.setattr(desk, "change_photo_words", busy)
    changed = corrected(desk, exported, change)
    review = first(desk)
    assert changed.keys == (review.key,) and "Bob is editing" in changed.kept[review.key]
    assert review.answer.entities and review.post.photo_words == WORDS
