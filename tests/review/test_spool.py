"""A file is read once: what is checked waits on the disk, comes back equal, and is what is stored."""

import errno
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmdemo.datasets.schema import RelationType
from mmdemo.formats.given.photos import Photos
from mmdemo.formats.table import SOURCES
from mmdemo.review.importing import Wish, bring
from mmdemo.review.store.arriving.checking import checked
from mmdemo.review.store.arriving.inserting import Row
from mmdemo.review.store.arriving.spool import Spool
from mmdemo.review.store.reviews import Store
from mmdemo.types import Entity, InputError, Question, Stated
from tests.made_up import ENTITY_LABELS, odd_dataset, questions
from tests.review.conftest import TWEETS

ODD = odd_dataset()
#: A name that is no UTF-8, as file systems allow.
IMAGES = st.none() | st.sampled_from([Path("a b.jpg"), Path("/photos/قرب.png"), Path("x\udcff.jpg")])


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """What a check gives for any post, with the answers of up to two people."""
    question: Question = draw(questions())
    image = draw(IMAGES)
    said = Stated(reviewer="Ann", entities=(Entity(start=0, end=1, label=ENTITY_LABELS[1]),), relations=())
    people = draw(st.sampled_from([(), (said,), (said, replace(said, reviewer="Bob", entities=()))]))
    try:
        return checked(
            replace(question, post=replace(question.post, image=image), reviews=people), ODD, "suggest"
        )
    except InputError:
        assume(False)
        raise


@given(st.lists(rows(), max_size=4))
def test_rows_come_back_equal_and_in_order(tmp_path_factory: pytest.TempPathFactory, kept: list[Row]) -> None:
    with closing(Spool(tmp_path_factory.getbasetemp())) as spool:
        for row in kept:
            spool.add(row)
        spool.flush()
        assert list(spool.rows()) == kept


def posts(path: Path, count: int = 3) -> Path:
    row = {"text": "Ola left", "label": [[0, 3, "PER"]]}
    path.write_text("".join(json.dumps(row | {"id": number}) + "\n" for number in range(count)))
    return path


def test_a_file_is_opened_to_be_read_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is what was checked, also where somebody writes the file meanwhile."""
    path, read = posts(tmp_path / "x.jsonl"), []
    format = SOURCES["spans"]

    def reader(*arguments: object) -> object:
        read.append(arguments)
        yield from format.reader(*arguments)  # type: ignore[arg-type]
        path.write_text("")

    monkeypatch.setitem(SOURCES, "spans", replace(format, reader=reader))  # type: ignore[arg-type]
    done = bring(store, "q", path, TWEETS, Photos(), Wish(source="spans"))
    assert done.added == 3 and len(read) == 1


def test_a_full_disk_is_told_and_stores_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(spool: Spool) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Spool, "flush", full)
    with pytest.raises(InputError, match="cannot be kept in .* until they are stored: No space left"):
        bring(store, "q", posts(tmp_path / "x.jsonl"), TWEETS, Photos(), Wish())
    assert store.queues() == ()


def test_a_queue_s_own_rules_hold_though_the_scheme_given_has_others(store: Store, tmp_path: Path) -> None:
    """Of one name and with the same labels, but the queue's allow this relation between places alone."""
    (first, *others), (label, *_) = ODD.relations, ENTITY_LABELS
    strict = replace(ODD, relations=(RelationType(label=first.label, head=("a b/c",)), *others))
    store.make_queue("q", strict)
    row = {"tokens": ["Ola", "left"], "entities": [{"start": 0, "end": 1, "label": label}]}
    row |= {"relations": [{"head": [0, 1], "tail": [1, 2], "label": first.label}]}
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps({"tokens": ["Eve"]}) + "\n")
    with pytest.raises(InputError, match="does not fit"):
        bring(store, "q", path, ODD, Photos(), Wish(source="jsonl", bad_rows="stop"))
    assert store.page("q", "Ann").total == 0
    done = bring(store, "q", path, ODD, Photos(), Wish(source="jsonl"))
    assert done.added == 1 and "1 row could not be read" in " ".join(done.warnings)
    store.make_queue("free", ODD)
    bring(store, "free", path, ODD, Photos(), Wish(source="jsonl"))
    assert [len(review.answer.links) for review in store.page("free", "Ann").reviews] == [1, 0]
