"""A desk offers the labels of the queue on screen, and no others, whichever queue was there before."""

import json
from pathlib import Path

import pytest

from mmdemo.answer.preannotation import predict_queue
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.locate import Cell
from mmdemo.review.store.reviews import open_store
from mmdemo.types import InputError
from mmdemo.ui.review import calls, predict
from tests.made_up import odd_dataset
from tests.review.conftest import PAIRS, question, tweets
from tests.review.test_labels import BANDS

QUEUES = {"pairs": PAIRS, "bands": BANDS, "odd": odd_dataset()}


@pytest.fixture
def store(tmp_path, monkeypatch):
    found = open_store(tmp_path / "reviews.sqlite3")
    for module in (calls, predict):
        monkeypatch.setattr(module, "store", lambda: found)
    for name, scheme in QUEUES.items():
        found.make_queue(name, scheme)
        found.add(name, [question(tweets(1)[0].post)])
    yield found
    found.close()


def ask(call, **sent):
    return json.loads(json.dumps(call({"name": "Ann", **sent})))


@pytest.mark.parametrize("name", QUEUES)
def test_the_desk_offers_the_queues_own_labels(store, name):
    scheme = QUEUES[name]
    start = ask(calls.review_start, queue=name)
    assert [row["label"] for row in start["relations"]] == list(scheme.relation_labels)
    assert start["none"] == scheme.none and set(start["looks"]) == {"", "E1", "E2", *scheme.entity_labels}
    assert [label for label, _ in start["facets"]["labels"]] == [
        *scheme.entity_labels,
        *scheme.relation_labels,
    ]
    post = ask(calls.review_next, queue=name)["post"]
    assert post["labels"] == list(scheme.entity_labels) and post["entities"] is scheme.has_entities


@pytest.mark.parametrize("name", QUEUES)
def test_a_save_with_another_queues_labels_is_refused(store, name):
    post = ask(calls.review_next, queue=name)["post"]
    own = {*QUEUES[name].relation_labels, *QUEUES[name].entity_labels}
    for other in QUEUES.values():
        for label in {*other.relation_labels} - own:
            link = {"head": [0, 2], "tail": [3, 4], "label": label}
            sent = {"queue": name, "id": post["id"], "version": 0, "answer": {"links": [link]}}
            assert ask(calls.review_save, **sent)["problem"].startswith("The answer has the unknown relation")
    assert store.progress(name).decided == 0


def test_a_cell_of_other_labels_predicts_nothing(store, tiny_zoo: Path, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    cell = find_cell(PAIRS, "vilt", "film", "tiny")
    with pytest.raises(InputError, match="was trained for other labels than the queue 'bands' has"):
        predict_queue(store, "bands", cell)
    assert store.unsuggested("bands", cell.name)
    # One that calls itself as the queue's dataset, with other labels, is none of its cells either.
    namesake = Cell(**{**vars(cell), "dataset": odd_dataset(name=BANDS.name)})
    with pytest.raises(InputError, match="other labels"):
        predict_queue(store, "bands", namesake)
    with pytest.raises(InputError, match="was trained for bands; there is no checkpoint"):
        predict.fitting_cell("bands", "lite/vilt/film")
