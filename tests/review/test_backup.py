"""Reviews in a private dataset repository: what one run decided, the next one has, against a stand-in Hub."""

import json
import time
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.discovery import find_dataset
from mmdemo.review import backup as backup_module
from mmdemo.review.backup import Backup, backup_from_environment, restore
from mmdemo.review.backup_events import event_row
from mmdemo.review.records import Answer
from mmdemo.review.store.queue import select_known
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.review.store.rows import known
from mmdemo.types import Ask, Entity, InputError, Post, Question
from tests.hub_standin import Hub, running_hub, use
from tests.review.conftest import TWEETS, question, stating
from tests.review.test_durability import check_state

REPO = "datasets/me/reviews"
PER = {"entities": [{"start": 0, "end": 1, "label": "PER"}], "links": []}
LOC = {"entities": [{"start": 2, "end": 3, "label": "LOC"}], "links": []}
NONE: dict = {"entities": [], "links": []}

#: `huggingface_hub` itself uploads large files in a way that httpx deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def standin(monkeypatch, tmp_path):
    monkeypatch.setenv("MMDEMO_REVIEWS_REPO", "me/reviews")
    with running_hub() as running:
        use(running, tmp_path / "cache", monkeypatch)
        yield running


def new_store(folder: Path) -> Store:
    folder.mkdir()
    return open_store(folder / "reviews.sqlite3")


def filled(store: Store, photo: Path) -> Store:
    """A shared queue with a suggestion, an undone and a rejected decision; a double one with a third look."""
    posts = [
        Post(
            text="Ann sees Paris",
            tokens=("Ann", "sees", "Paris"),
            id=f"p{i}",
            image=photo if i == 0 else None,
        )
        for i in range(4)
    ]
    seen = Answer(entities=(Entity(start=0, end=1, label="PER", text="Ann"),))
    store.make_queue("may", TWEETS)
    store.add("may", [stating(question(p), seen) if p.id == "p0" else question(p) for p in posts])
    keys = {r.post.id: r.key for r in store.page("may", "Ann").reviews}
    store.decide("may", keys["p0"], "Ann", NONE, version=0)
    store.decide("may", keys["p0"], "Ben", PER, version=1, seconds=3.5)
    store.decide("may", keys["p1"], "Ann", NONE, version=0, reject=True)
    store.decide("may", keys["p2"], "Ann", LOC, version=0)
    store.undo("may", "Ann")
    store.make_queue("blind", TWEETS, double=True)
    store.add("blind", [question(posts[1])])
    (review,) = store.page("blind", "Ann").reviews
    store.decide("blind", review.key, "Ann", PER, version=0)
    store.decide("blind", review.key, "Ben", LOC, version=0)
    (dispute,) = store.disputes("blind")
    store.adjudicate("blind", review.key, "Cleo", PER, version=dispute.version)
    return store


def said(store: Store) -> dict:
    """All that counts of a store: queues, posts, photos and their words, who decided what."""
    found = {}
    for queue in store.queues():
        for review in store.page(queue.name, "reader", limit=50).reviews:
            decision = review.decision
            found[queue.name, queue.double, review.post.id] = (
                review.post.text,
                review.status,
                Path(str(review.post.image)).read_bytes() if review.post.image else None,
                decision and (decision.reviewer, decision.verdict, decision.answer.items()),
                review.post.photo_words,
            )
    return found


def test_the_next_run_has_what_the_last_one_decided(standin: Hub, tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "photo.png")
    store = filled(new_store(tmp_path / "one"), tmp_path / "photo.png")
    backup = backup_from_environment(store)
    assert backup.write() == 5
    assert backup.write() == 0, "nothing new, nothing written"
    keys = {r.post.id: r.key for r in store.page("may", "Ann").reviews}
    store.decide("may", keys["p3"], "Ann", PER, version=0)
    assert backup.write() == 1
    store.describe_photo("may", keys["p3"], "Ann", "\u202eA sign.\0", version=0)
    backup.close()

    held = standin.repos[REPO]
    assert held.private
    (log,) = [path for path in held.commits[-1][1] if path.endswith(".jsonl")]
    lines = [json.loads(line) for line in held.commits[-1][1][log].splitlines()]
    ids = [line["post"]["id"] for line in lines if line["queue"]["name"] == "may"]
    assert ids == ["p0", "p1", "p2", "p3", "p3", "p3"], "appended, not changed"
    assert [e["reviewer"] for e in lines[0]["events"]] == ["Ann", "Ben"], "the whole history is there"

    again = new_store(tmp_path / "two")
    second = backup_from_environment(again)
    assert said(again) == said(store)
    assert said(again)["may", False, "p0"][3][:2] == ("Ben", "accepted")
    (disagreed,) = [r for r in again.page("may", "Ben").reviews if r.post.id == "p0"]
    version = again.open(disagreed.key, "Ben").version
    again.decide("may", disagreed.key, "Ben", NONE, version=version)
    second.close()
    files = [path for path in held.commits[-1][1] if path.endswith(".jsonl")]
    assert len(files) == 2, "each run has a file of its own"

    third = new_store(tmp_path / "three")
    assert restore(third, "me/reviews") == 5
    assert said(third) == said(again) != said(store), "a shorter history wins where it is the later one"
    third.close()


def one_of_two_adjudicates(store: Store) -> None:
    store.decide("d", 1, "Ann", PER, version=0)
    store.decide("d", 1, "Ben", LOC, version=0)
    store.adjudicate("d", 1, "Ann", PER, version=2)


def a_file_states_it(store: Store) -> None:
    seen = Answer(entities=(Entity(start=0, end=1, label="PER", text="Ann"),))
    post = Post(text="Ann sings", tokens=("Ann", "sings"), id="p1")
    store.add("d", [stating(question(post), seen)], use="accept", reviewer="Ann")


def adjudicated_and_back_and_forth(store: Store) -> None:
    store.decide("d", 1, "Ann", PER, version=0)
    store.decide("d", 1, "Ben", LOC, version=0)
    store.adjudicate("d", 1, "Cleo", PER, version=2)
    store.undo("d", "Cleo")
    store.redo("d", "Cleo")


def an_adjudication_taken_back(store: Store) -> None:
    adjudicated_and_back_and_forth(store)
    store.undo("d", "Cleo")


@pytest.mark.parametrize(
    "story",
    [one_of_two_adjudicates, a_file_states_it, adjudicated_and_back_and_forth, an_adjudication_taken_back],
)
@pytest.mark.parametrize("seats", [True, False])
def test_each_decision_comes_back_to_its_seat(standin: Hub, tmp_path, monkeypatch, story, seats):
    """Also out of lines of before they named seats, as far as those tell."""
    if not seats:

        def without(event):
            row = event_row(event)
            del row["seat"]
            return row

        monkeypatch.setattr(backup_module, "event_row", without)
    store = new_store(tmp_path / "one")
    store.make_queue("d", TWEETS, double=True)
    store.add("d", [question(Post(text="a b c", tokens=("a", "b", "c"), id="p0"))])
    story(store)
    backup_from_environment(store).close()
    again = new_store(tmp_path / "two")
    assert restore(again, "me/reviews") == len(said(store)) and said(again) == said(store)
    check_state(again)
    if seats:
        with store.engine.connect() as one, again.engine.connect() as two:
            rows = [known(c.execute(select_known()).first(), tmp_path).seats for c in (one, two)]
        decisions = [{name: seat.decision for name, seat in seats.items() if seat.decision} for seats in rows]
        assert decisions[0] == decisions[1], "reviewers, verdicts and times too"


def test_a_post_is_found_by_its_whole_id(standin: Hub, tmp_path):
    store = new_store(tmp_path / "one")
    store.make_queue("may", TWEETS)
    ids = [*map(str, range(1000, 1120)), "1"]
    store.add("may", [question(Post(text="Ann", tokens=("Ann",), id=ref)) for ref in ids])
    store.decide("may", len(ids), "Ann", PER, version=0)
    backup_from_environment(store).close()
    again = new_store(tmp_path / "two")
    assert restore(again, "me/reviews") == len(ids)
    assert [review.post.id for review in again.decided("may")] == ["1"]


def test_lines_are_appended_and_never_changed(standin: Hub, tmp_path):
    store = new_store(tmp_path / "one")
    store.make_queue("may", TWEETS)
    backup = Backup(store, "me/reviews", tmp_path / "log", minutes=60)
    before = b""
    for i in range(3):
        store.add("may", [question(Post(text="Ann", tokens=("Ann",), id=f"p{i}"))])
        backup.write()
        (file,) = (tmp_path / "log").glob("*.jsonl")
        assert file.read_bytes().startswith(before) and len(file.read_bytes()) > len(before)
        before = file.read_bytes()
    backup.close()


def test_a_line_that_a_crash_cut_off_or_somebody_forged_is_passed_over(standin: Hub, tmp_path):
    held = {"id": "p0", "text": "Ann", "tokens": ["Ann"], "pair": None, "image_id": None, "photo": "../x"}
    queue = {"name": "may", "dataset": "twitter2017", "double": False}
    row = {"queue": queue, "post": held, "suggestion": None, "events": []}
    after = {"verdict": "accepted", "reviewer": "Eve", **NONE}
    event = {"kind": "decide", "reviewer": "Eve", "at": "2026", "seconds": None, "after": after}
    line = json.dumps(row).encode()
    forged = [
        [],
        {**row, "events": [1]},
        {**row, "post": {**held, "id": "p9", "tokens": 5}},
        {**row, "queue": 1},
        {**row, "post": {**held, "id": "p8"}, "events": [{**event, "seat": "Eve"}]},
        {**row, "post": {**held, "id": "p7"}, "events": [{**event, "after": {**after, "verdict": "x"}}]},
    ]
    bad = b"".join(json.dumps(f).encode() + b"\n" for f in forged)
    standin.add(REPO, {"reviews-1.jsonl": line + b"\n" + bad + line[:40]}, private=True)
    store = new_store(tmp_path / "one")
    assert restore(store, "me/reviews") == 1
    assert store.page("may", "Ann").reviews[0].post.image is None, "a photo outside the folder is none"


def decided_by(store: Store, post: str, reviewer: str, answer: dict) -> None:
    (review,) = [r for r in store.page("may", reviewer).reviews if r.post.id == post]
    store.decide("may", review.key, reviewer, answer, version=review.version)


def one_post(store: Store) -> Store:
    store.make_queue("may", find_dataset("twitter2017"))
    post = Post(text="a b c", tokens=("a", "b", "c"), id="p0")
    store.add("may", [Question(post=post, ask=Ask())])
    return store


def answer_of(store: Store) -> tuple[str, str]:
    (review,) = store.page("may", "reader").reviews
    return review.decision.reviewer, review.decision.verdict


@pytest.mark.parametrize("kept", [False, True])
def test_a_clock_that_is_behind_does_not_bring_the_older_decision_back(
    standin: Hub, tmp_path, monkeypatch, kept
):
    """Whether the second run restored the first one's decisions, or has a disk that kept them."""
    store = one_post(new_store(tmp_path / "one"))
    first = backup_from_environment(store)
    decided_by(store, "p0", "Ann", PER)
    first.close()
    second = store if kept else new_store(tmp_path / "two")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    backup = backup_from_environment(second)
    decided_by(second, "p0", "Ben", LOC)
    backup.close()
    monkeypatch.undo()
    use(standin, tmp_path / "cache", monkeypatch)
    third = new_store(tmp_path / "three")
    assert restore(third, "me/reviews") == 1
    assert answer_of(third) == ("Ben", "corrected")


def test_of_two_runs_at_once_the_later_decision_holds(standin: Hub, tmp_path):
    """As in a restart that starts the new container before the old one stops."""
    store = one_post(new_store(tmp_path / "one"))
    old = backup_from_environment(store)
    old.write()
    old.scheduler.trigger().result()
    fresh = new_store(tmp_path / "two")
    new = backup_from_environment(fresh)
    decided_by(store, "p0", "Ann", PER)
    old.close()
    new.close()
    third = new_store(tmp_path / "three")
    restore(third, "me/reviews")
    assert answer_of(third) == ("Ann", "corrected"), "the new run had not read it, so it has not replaced it"


def test_a_line_that_is_no_text_stops_only_itself(standin: Hub, tmp_path, caplog):
    queue = {"name": "may", "dataset": "twitter2017", "double": False}
    lines = []
    for ref in ("p0", "p1", "p2"):
        held = {"id": ref, "text": "Ann", "tokens": ["Ann"], "pair": None, "image_id": None, "photo": None}
        row = {"queue": queue, "post": held, "suggestion": None, "events": []}
        lines.append(json.dumps(row).encode())
    lines[1] = lines[1].replace(b"Ann", b"\xff\xfe")
    held = json.loads(lines[2])
    held["post"]["photo"] = "x" * 300 + ".png"
    standin.add(
        REPO, {"reviews-1.jsonl": b"\n".join([*lines, json.dumps(held).encode()]) + b"\n"}, private=True
    )
    store = new_store(tmp_path / "one")
    assert restore(store, "me/reviews") == 2
    assert "reviews-1.jsonl line 2 is not UTF-8 text; it is passed over" in caplog.text
    assert [r.post.id for r in store.page("may", "Ann").reviews] == ["p0", "p2"]


def test_without_a_repository_nothing_is_asked(standin: Hub, tmp_path, monkeypatch):
    monkeypatch.delenv("MMDEMO_REVIEWS_REPO")
    assert backup_from_environment(new_store(tmp_path / "one")) is None and standin.requests == []


def test_a_repository_that_cannot_be_used_is_a_sentence(standin: Hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="the reviews' repository me/reviews cannot be"):
        backup_from_environment(new_store(tmp_path / "one"))


def test_a_public_repository_is_refused(standin: Hub, tmp_path):
    standin.add(REPO, {"README.md": b"for everybody"})
    with pytest.raises(InputError, match="is public; make it private"):
        backup_from_environment(new_store(tmp_path / "one"))
    assert len(standin.repos[REPO].commits) == 1
