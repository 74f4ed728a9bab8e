"""From a file into a queue: previewed, mapped, told what cannot come in; later answers, several people."""

import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.formats.given.photos import Photos
from mmdemo.review.importing import Wish, bring, correct, look_lines, look_row, preview
from mmdemo.review.records import Imported
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError

TWEETS = reviewed_as(find_dataset("twitter2017"))
NONE = Photos()
SPAN = {"start": 0, "end": 3, "label": "PER"}


def lines(path: Path, *rows: dict) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def take(store: Store, path: Path, queue: str = "q", double: bool = False, **wish: object) -> Imported:
    return bring(store, queue, path, TWEETS, NONE, Wish(**wish), double=double)  # type: ignore[arg-type]


def labels(store: Store, queue: str = "q") -> list[list[str]]:
    return [[e.label for e in review.answer.entities] for review in store.page(queue, "Ann").reviews]


def test_a_preview_stores_nothing_and_says_what_would_come(store: Store, tmp_path: Path) -> None:
    rows = [
        {"text": f"Ola {n}", "label": [[0, 3, "PERSON" if n else "ship"]], "image": "7.jpg"}
        for n in range(30)
    ]
    path = lines(tmp_path / "x.jsonl", *rows, {"text": ""})
    seen = preview(path, TWEETS, NONE, Wish())
    assert store.queues() == () and seen.problem is None
    found = look_row(seen)
    assert (found["posts"], found["answered"], len(found["rows"]), found["complete"]) == (30, 30, 10, True)
    assert found["labels"] == [
        {"kind": "entity", "label": "PERSON", "count": 29, "becomes": "PER"},
        {"kind": "entity", "label": "ship", "count": 1, "becomes": None},
    ]
    assert found["photos"]["not_found"] == 30 and found["rows"][1]["entities"] == [["PER", "Ola"]]
    said = "\n".join(look_lines(seen))
    assert "x.jsonl line 31" in said and "ship: 1, not known: say what it is by --map" in said
    assert json.loads(json.dumps(found)) == found


def test_a_preview_of_a_long_file_reads_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmdemo.formats.given.looking.MOST", 5)
    path = lines(
        tmp_path / "x.jsonl", *({"tokens": ["Ola", str(n)], "tags": ["B-PER", "O"]} for n in range(9))
    )
    seen = preview(path, TWEETS, NONE, Wish())
    assert seen.posts == 5 and not seen.complete and "the first ones" in look_lines(seen)[1]


def test_damaged_rows_are_left_out_or_nothing_comes_in(store: Store, tmp_path: Path) -> None:
    path = lines(
        tmp_path / "x.jsonl", {"text": "Ola", "label": [SPAN]}, {"text": "b", "label": [[9, 12, "PER"]]}
    )
    with pytest.raises(InputError, match=r"x\.jsonl line 2 marks the characters 9-12"):
        take(store, path, bad_rows="stop")
    assert store.queues() == ()
    done = take(store, path)
    assert done.added == 1 and "1 row could not be read and were left out" in " ".join(done.warnings)


def test_posts_that_the_scheme_does_not_allow_are_left_out_too(store: Store, tmp_path: Path) -> None:
    twice = {"text": "Ola b", "label": [[0, 3, "PER"], [0, 3, "ORG"]]}
    path = lines(tmp_path / "x.jsonl", {"text": "Ola", "label": [SPAN]}, twice)
    with pytest.raises(InputError, match="two entities on the same words"):
        take(store, path, bad_rows="stop")
    assert store.queues() == ()
    done = take(store, path)
    assert done.added == 1 and "two entities on the same words" in " ".join(done.warnings)


def test_labels_are_mapped_as_the_person_says(store: Store, tmp_path: Path) -> None:
    path = lines(tmp_path / "x.jsonl", {"text": "Ola b", "label": [[0, 3, "ship"], [4, 5, "sea"]]})
    with pytest.raises(InputError, match="'ship'.*knows PER, LOC, ORG, MISC.*--map"):
        take(store, path)
    done = take(store, path, names={"ship": "MISC", "sea": ""})
    assert labels(store) == [["MISC"]] and "'sea'" in " ".join(done.warnings)


def test_answers_that_come_later_arrive_where_there_is_none(store: Store, tmp_path: Path) -> None:
    plain = lines(tmp_path / "a.jsonl", {"id": "1", "tokens": ["Ola"]}, {"id": "2", "tokens": ["Vik"]})
    assert take(store, plain).added == 2
    store.decide(
        "q", 2, "Ann", {"entities": [{"start": 0, "end": 1, "label": "LOC"}], "links": []}, version=0
    )
    named = [{"id": n, "tokens": [word], "tags": ["B-PER"]} for n, word in (("1", "Ola"), ("2", "Vik"))]
    later = lines(tmp_path / "b.jsonl", *named)
    done = take(store, later)
    assert (done.added, done.known) == (0, 2) and labels(store) == [["PER"], ["LOC"]]
    told = " ".join(done.warnings)
    assert "1 posts that were there without an answer have the file's now" in told
    assert "1 posts have other answers here" in told and "--corrections" in told
    assert take(store, later).warnings == tuple(w for w in done.warnings if "other answers" in w)
    changed = correct(store, "q", later, TWEETS, NONE, Wish(), "Eve")
    assert len(changed.keys) == 2 and labels(store) == [["PER"], ["PER"]]


def test_accepted_answers_that_come_later_decide_what_nobody_did(store: Store, tmp_path: Path) -> None:
    take(store, lines(tmp_path / "a.jsonl", {"id": "1", "tokens": ["Ola"]}))
    take(store, lines(tmp_path / "b.jsonl", {"id": "1", "tokens": ["Ola"], "tags": ["B-PER"]}), use="accept")
    assert [review.status for review in store.page("q", "Ann").reviews] == ["accepted"]


def two_people(path: Path) -> Path:
    def said(who: int, label: str) -> dict:
        value = {"start": 0, "end": 3, "labels": [label], "text": "Ola"}
        return {"completed_by": who, "result": [{"id": "a", "type": "labels", "value": value}]}

    path.write_text(
        json.dumps([{"id": 1, "data": {"text": "Ola"}, "annotations": [said(1, "PER"), said(2, "ORG")]}])
    )
    return path


def test_several_annotators_are_blind_reviews_of_a_double_queue(store: Store, tmp_path: Path) -> None:
    take(store, two_people(tmp_path / "x.json"), double=True)
    (dispute,) = store.disputes("q")
    assert {d.reviewer: d.answer.entities[0].label for d in dispute.decisions} == {
        "annotator 1": "PER",
        "annotator 2": "ORG",
    }


def test_several_annotators_are_told_in_a_queue_of_single_reviews(store: Store, tmp_path: Path) -> None:
    done = take(store, two_people(tmp_path / "x.json"))
    assert labels(store) == [["ORG"]] and "answers of up to 2 people" in " ".join(done.warnings)


def test_photos_may_lie_in_an_archive(store: Store, tmp_path: Path) -> None:
    path = lines(tmp_path / "x.jsonl", {"text": "Ola", "image_id": "7"}, {"text": "Eve", "image_id": "8"})
    Image.new("RGB", (8, 8), "red").save(tmp_path / "7.png")
    packed = tmp_path / "photos.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(tmp_path / "7.png", "deep/down/7.png")
    (tmp_path / "7.png").unlink()
    photos = Photos(folder=packed)
    assert look_row(preview(path, TWEETS, photos, Wish()))["photos"]["found"] == 1
    bring(store, "q", path, TWEETS, photos, Wish())
    kept = [review.post.image for review in store.page("q", "Ann").reviews]
    assert [image is not None for image in kept] == [True, False]
    packed.write_bytes(b"PK\3\4 damaged")
    with pytest.raises(InputError, match=r"photos\.zip") as told:
        preview(path, TWEETS, photos, Wish())
    assert "mmdemo-import-" not in str(told.value)
