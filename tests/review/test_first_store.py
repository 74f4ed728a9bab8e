"""A store that the program kept before queues carried their labels: it opens, and exports what it did then.

``first_store.sql`` is such a database: queues of three datasets, one of double review; decisions, undos,
suggestions, asked pairs, relations beside entities. ``first_store.json`` has what that program exported from
it: queue -> format -> files.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mmdemo.formats.table import find_format
from mmdemo.review.export import export
from mmdemo.review.store.engine import NEWEST
from mmdemo.review.store.reviews import Store
from tests.review.conftest import OTHERS, PAIRS, TWEETS
from tests.review.test_durability import check_state

HERE = Path(__file__).parent
EXPORTS = json.loads((HERE / "first_store.json").read_text(encoding="utf-8"))
CASES = [(queue, name) for queue, formats in EXPORTS.items() for name in formats]


#: What brat needs to show a folder: it lists all labels, now those of the queue alone.
SETUP = ("annotation.conf", "visual.conf")


def dumped() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript((HERE / "first_store.sql").read_text(encoding="utf-8"))
    return database


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The old store, opened: read only."""
    folder = tmp_path_factory.mktemp("first")
    database = sqlite3.connect(folder / "reviews.sqlite3")
    dumped().backup(database)
    database.close()
    opened = Store(f"sqlite:///{folder / 'reviews.sqlite3'}", folder / "photos")
    yield opened
    opened.close()


def test_each_queue_gets_the_labels_that_it_had(first: Store) -> None:
    assert {queue.name: queue.scheme for queue in first.queues()} == {
        "tweets": TWEETS,
        "blind": OTHERS,
        "pairs": PAIRS,
    }
    with first.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == NEWEST
    check_state(first)


def test_nothing_of_a_review_is_lost(first: Store) -> None:
    counted = "SELECT name, status, count(*) FROM posts JOIN queues ON queues.id = queue_id GROUP BY 1, 2"
    before = {(queue, status): count for queue, status, count in dumped().execute(counted)}
    assert before == {
        (queue.name, status): count
        for queue in first.queues()
        for status, count in first.progress(queue.name).by_status.items()
    }
    posts = {review.post.id: review for review in first.page("pairs", "Ann").reviews}
    one = posts["m1"]
    assert one.suggestion and [(r.pair, r.label) for r in one.suggestion.relations] == [
        (one.asked[0], label) for label in ("/per/misc/present_in", "None", "/per/per/peer")
    ]
    assert (posts["m6"].asked, len(posts["m6"].answer.links)) == ((), 2)
    (tweet,) = (review for review in first.page("tweets", "Ann").reviews if review.post.id == "t3")
    assert [event.kind for event in first.history(tweet.key)] == ["decide", "decide", "undo", "redo"]
    (dispute,) = first.disputes("blind")
    assert {decision.reviewer for decision in dispute.decisions} == {"Ann", "Bob"}
    assert first.undo("blind", "Cleo").keys and first.redo("blind", "Cleo").keys, "and work goes on"


@pytest.mark.parametrize(("queue", "name"), [case for case in CASES if case[1] != "jsonl"])
def test_exports_are_byte_for_byte_what_they_were(
    first: Store, tmp_path: Path, queue: str, name: str
) -> None:
    before = EXPORTS[queue][name]
    path = tmp_path / f"out{find_format(name).suffix}"
    done = export(first, queue, path, name, skip=True)
    # What a format cannot hold costs a post no more than that: fewer are left out than then.
    assert done.posts >= before["posts"] and {*done.left_out} <= {*before["left_out"]}
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    written = {
        "" if file == path else str(file.relative_to(path)): renamed(file.read_text(encoding="utf-8"))
        for file in files
        if file.name not in SETUP
    }
    then = {file: renamed(text) for file, text in before["files"].items() if Path(file).name not in SETUP}
    if before["left_out"]:
        assert {*then[""].splitlines()} <= {*written[""].splitlines()}
    else:
        assert written == then


def renamed(text: str) -> str:
    """Label Studio's regions numbered in each task: they were named by their words once."""
    return '"data": '.join(_numbered(task) for task in text.split('"data": '))


def _numbered(task: str) -> str:
    names: dict[str, str] = {}
    region = re.compile(r'"s\d+(?:-\d+)?"')
    return region.sub(lambda found: names.setdefault(found[0], f'"region {len(names)}"'), task)


@pytest.mark.parametrize("queue", EXPORTS)
def test_json_lines_say_what_they_said_with_all_relations_of_a_post_in_one(
    first: Store, tmp_path: Path, queue: str
) -> None:
    """A line could hold one relation, as the pair that it asks about; a post with two had two lines."""
    form, before = find_format("jsonl"), EXPORTS[queue]["jsonl"]["files"][""]
    export(first, queue, tmp_path / "new.jsonl", "jsonl")
    (tmp_path / "old.jsonl").write_text(before, encoding="utf-8")
    old, new = (form.read(tmp_path / name) for name in ("old.jsonl", "new.jsonl"))
    assert [row.post for row in old] == [row.post for row in new]
    lines = (tmp_path / "new.jsonl").read_text(encoding="utf-8").splitlines()
    for row, line in zip(new, lines, strict=True):
        assert (line in before.splitlines()) is ('"relations"' not in line), row.post.id
