"""The store, on both databases: nothing is overwritten unseen, and all of it can be traced and taken back."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mmdemo.review.records import Answer, Conflict, Filter, Leased, Review, Suggestion
from mmdemo.review.store import engine as store_engine
from mmdemo.review.store import queue as store_queue
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.review.store.tables import metadata
from mmdemo.types import Entity, InputError, Relation
from tests.review.conftest import OTHERS, PAIRS, TWEETS, stating, tweets

PERSON = {"start": 0, "end": 2, "label": "PER"}
PLACE = {"start": 3, "end": 4, "label": "LOC"}
LIVES = {"head": [0, 2], "tail": [3, 4], "label": "/per/loc/place_of_residence"}


def suggestion(score: float = 0.9, entropy: float | None = None, checkpoint: str = "cell") -> Suggestion:
    entity = Entity(start=0, end=2, label="PER", text="Kevin Durant", score=score)
    return Suggestion(answer=Answer(entities=(entity,)), checkpoint=checkpoint, entropy=entropy)


@pytest.fixture
def queue(store: Store) -> Store:
    """Queue "q" with three posts, each with a suggestion."""
    store.make_queue("q", TWEETS)
    store.add("q", tweets(3))
    store.suggest([(key, suggestion()) for key in store.unsuggested("q", "cell")])
    return store


def first(store: Store, reviewer: str = "Ann") -> Review:
    found = store.next("q", reviewer)
    assert found is not None
    return found


def labels(answer: Answer | None) -> set[str]:
    assert answer is not None
    return {e.label for e in answer.entities} | {link.label for link in answer.links}


# ---------------------------------------------------------------- the database itself


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == store_engine.NEWEST
    scripts = ScriptDirectory(str(Path(store_engine.__file__).parent / "migrations"))
    assert scripts.get_current_head() == store_engine.NEWEST


def test_many_may_open_a_new_database_at_once(url: str, tmp_path: Path) -> None:
    engine = store_engine.open_engine(url)
    if engine.dialect.name == "sqlite":
        (tmp_path / "reviews.sqlite3").unlink()
    else:
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: Store(url, tmp_path), range(6)))
    stores[0].make_queue("q", PAIRS)
    assert all(store.queues()[0].name == "q" for store in stores)
    for store in stores:
        store.close()


@pytest.mark.parametrize("change", ["UPDATE events SET reviewer = 'Eve'", "DELETE FROM events"])
def test_the_log_only_grows(queue: Store, change: str) -> None:
    post = first(queue)
    queue.decide("q", post.key, "Ann", {"entities": []}, version=0)
    with pytest.raises(DBAPIError, match="events only grow"):
        with queue.engine.begin() as connection:
            connection.execute(text(change))
    assert [event.reviewer for event in queue.history(post.key)] == ["Ann"]


def test_a_newer_database_is_left_alone(store: Store, url: str, tmp_path: Path) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="newer version of mmdemo"):
        Store(url, tmp_path)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("mysql://host/db", "SQLite or PostgreSQL"),
        ("nonsense://", "SQLite or PostgreSQL|cannot be used"),
        ("/no/such/folder/reviews.sqlite3", "does not exist"),
        ("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", "cannot be opened"),
    ],
)
def test_an_unusable_place_is_one_sentence(place: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        open_store(place)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, " * 100)
    with pytest.raises(InputError, match="cannot be opened"):
        open_store(tmp_path / "notes.txt")


# ---------------------------------------------------------------- deciding


def test_a_queue_is_found_by_its_name_however_it_is_typed(store: Store) -> None:
    store.make_queue("Cafe\u0301", TWEETS)
    assert store.add("Cafe\u0301", tweets(1)).added == 1
    assert store.progress("Caf\u00e9").queue.name == "Caf\u00e9"


def test_a_decision_says_who_when_what_and_by_which_model(queue: Store) -> None:
    post = first(queue)
    assert post.answer == suggestion().answer and post.status == "open"
    answer = {"entities": [PLACE, PERSON], "links": [LIVES]}
    done = queue.decide("q", post.key, "Ann", answer, version=post.version, seconds=4.2)
    assert done.status == "corrected" and done.lease is None
    assert done.answer.links == (Relation(head=(0, 2), tail=(3, 4), label="/per/loc/place_of_residence"),)
    assert [(e.text, e.score) for e in done.answer.entities] == [("Kevin Durant", 0.9), ("Oakland", None)]
    (event,) = queue.history(post.key)
    assert (event.kind, event.reviewer, event.before, event.after) == ("decide", "Ann", None, done.decision)
    assert (event.score, event.checkpoint, event.seconds) == (0.9, "cell", 4.2)
    assert event.at.endswith("+00:00")


def test_verdicts(queue: Store) -> None:
    one, two, three = queue.page("q", "Ann").reviews
    same = {"entities": [PERSON]}
    assert queue.decide("q", one.key, "Ann", same, version=0).status == "accepted"
    assert queue.decide("q", two.key, "Ann", {}, version=0).status == "corrected"
    assert queue.decide("q", three.key, "Ann", same, version=0, reject=True).status == "rejected"
    progress = queue.progress("q")
    assert progress.by_status == {"accepted": 1, "corrected": 1, "rejected": 1} and progress.decided == 3
    assert progress.by_reviewer == {"Ann": 3} and queue.next("q", "Ann") is None


def test_a_stale_save_is_a_conflict_with_both_versions(queue: Store) -> None:
    post = first(queue)
    queue.decide("q", post.key, "Ann", {"entities": [PERSON]}, version=0)
    with pytest.raises(Conflict, match="Ann has decided") as caught:
        queue.decide("q", post.key, "Bob", {"entities": [PLACE]}, version=0)
    assert labels(caught.value.yours) == {"LOC"}
    assert caught.value.theirs and labels(caught.value.theirs.answer) == {"PER"}
    assert caught.value.review.version == 1
    assert len(queue.history(post.key)) == 1
    merged = queue.decide("q", post.key, "Bob", {"entities": [PERSON, PLACE]}, version=1)
    assert merged.version == 2 and merged.decision and merged.decision.reviewer == "Bob"


def test_the_same_save_twice_is_no_conflict(queue: Store) -> None:
    post = first(queue)
    once = queue.decide("q", post.key, "Ann", {"entities": [PERSON]}, version=0)
    assert queue.decide("q", post.key, "Ann", {"entities": [PERSON]}, version=0) == once
    assert len(queue.history(post.key)) == 1


def test_forged_answers_are_refused_and_logged(queue: Store, caplog: pytest.LogCaptureFixture) -> None:
    post = first(queue)
    for sent in ({"entities": [{**PERSON, "end": 6}]}, {"entities": [{**PERSON, "label": "x" * 9999}]}, None):
        caplog.clear()
        with pytest.raises(InputError):
            queue.decide("q", post.key, "Ann", sent, version=0)
        assert "refused an answer of 'Ann'" in caplog.text and len(caplog.text) < 1000
    assert queue.history(post.key) == () and queue.open(post.key, "Ann").status == "open"


def test_other_queues_posts_and_odd_numbers_are_refused(
    queue: Store, caplog: pytest.LogCaptureFixture
) -> None:
    queue.make_queue("other", OTHERS)
    queue.add("other", tweets(1))
    theirs = queue.page("other", "Ann").reviews[0].key
    for key in (theirs, 999):
        with pytest.raises(InputError, match="no post"):
            queue.decide("q", key, "Ann", {}, version=0)
    assert "refused a decision of 'Ann'" in caplog.text
    for bad in ({"key": "1"}, {"version": -1}, {"version": 1.0}, {"seconds": -1}, {"seconds": float("nan")}):
        given = {"key": 1, "version": 0, **bad}
        with pytest.raises(InputError, match="number"):
            queue.decide("q", given.pop("key"), "Ann", {}, **given)  # type: ignore[arg-type]
    for name in ("", " ", "a|b", "*", "x" * 81, "a\u202eb", "a\nb", 7):
        with pytest.raises(InputError, match="name"):
            queue.decide("q", 1, name, {}, version=0)  # type: ignore[arg-type]


# ---------------------------------------------------------------- leases


def test_two_reviewers_get_two_posts(queue: Store) -> None:
    ann, bob = first(queue), first(queue, "Bob")
    assert ann.key != bob.key
    with pytest.raises(Leased, match="Ann is editing") as caught:
        queue.open(ann.key, "Bob")
    assert caught.value.lease.reviewer == "Ann"
    with pytest.raises(Leased):
        queue.decide("q", ann.key, "Bob", {}, version=0)
    assert first(queue).key == ann.key, "a reload gives one's own post again"
    again = queue.next("q", "Ann", after=ann.key)
    assert again and again.key not in (ann.key, bob.key), "and N the one behind it that nobody has"
    queue.release(ann.key, "Ann")
    assert queue.open(ann.key, "Bob").lease


def test_a_lease_ends_by_itself(queue: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    post = first(queue)
    expires = queue.lease(post.key, "Ann").expires
    monkeypatch.setattr(store_queue, "lease_clock", lambda _: expires + 1)
    assert queue.open(post.key, "Bob").lease
    with pytest.raises(Leased):  # Ann may save once Bob has gone, if he changed nothing
        queue.decide("q", post.key, "Ann", {}, version=0)
    queue.release(post.key, "Bob")
    assert queue.decide("q", post.key, "Ann", {}, version=0).status == "corrected"


@pytest.mark.parametrize("hours", [-5, 5])
def test_setting_the_clock_neither_ends_a_lease_nor_lengthens_it(
    queue: Store, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    post, now = first(queue), time.time()
    queue.lease(post.key, "Ann", seconds=60)
    monkeypatch.setattr(time, "time", lambda: now + 3600 * hours)
    with pytest.raises(Leased):
        queue.open(post.key, "Bob")
    monkeypatch.setattr(store_queue, "lease_clock", lambda _: time.monotonic() + 61)
    if queue.engine.dialect.name == "sqlite":
        assert queue.open(post.key, "Bob").lease


def test_a_lease_of_before_the_machine_started_holds_nobody_up(
    queue: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = first(queue)
    queue.lease(post.key, "Ann")
    monkeypatch.setattr(store_queue, "lease_clock", lambda _: -1e6)
    assert queue.open(post.key, "Bob").lease


def test_a_crowd_on_one_queue_decides_each_post_once(store: Store) -> None:
    store.make_queue("q", TWEETS)
    store.add("q", tweets(24))

    def work(name: str) -> list[int]:
        keys = []
        while (post := store.next("q", name)) is not None:
            store.decide("q", post.key, name, {"entities": [PERSON]}, version=post.version)
            keys.append(post.key)
        return keys

    with ThreadPoolExecutor(6) as pool:
        done = [key for keys in pool.map(work, [f"r{i}" for i in range(6)]) for key in keys]
    assert len(done) == len(set(done)) == 24
    assert store.progress("q").by_status == {"corrected": 24}


# ---------------------------------------------------------------- undo, redo, bulk


def test_undo_and_redo_through_the_session(queue: Store) -> None:
    one, two, three = queue.page("q", "Ann").reviews
    queue.decide("q", one.key, "Ann", {"entities": [PERSON]}, version=0)
    queue.decide("q", two.key, "Ann", {"entities": []}, version=0)
    queue.decide("q", one.key, "Ann", {"entities": [PLACE]}, version=1)
    assert queue.undo("q", "Ann").keys == (one.key,)
    assert labels(queue.open(one.key, "Ann").answer) == {"PER"}
    assert queue.undo("q", "Ann").keys == (two.key,)
    assert queue.undo("q", "Ann").keys == (one.key,)
    assert queue.undo("q", "Ann").keys == ()
    assert queue.progress("q").by_status == {"open": 3}
    assert [queue.redo("q", "Ann").keys for _ in range(4)] == [(one.key,), (two.key,), (one.key,), ()]
    assert labels(queue.open(one.key, "Ann").answer) == {"LOC"}
    queue.undo("q", "Ann")
    queue.decide("q", three.key, "Ann", {}, version=0)
    assert queue.redo("q", "Ann").keys == (), "a new decision ends redo"
    assert queue.undo("q", "Ann").keys == (three.key,)
    assert queue.redo("q", "Ann").keys == (three.key,), "and what was dead before it stays dead"
    assert [event.kind for event in queue.history(two.key)] == ["decide", "undo", "redo"]


def test_undo_leaves_what_somebody_else_decided_since(queue: Store) -> None:
    one, two, _ = queue.page("q", "Ann").reviews
    queue.decide("q", two.key, "Ann", {}, version=0)
    queue.decide("q", one.key, "Ann", {"entities": [PERSON]}, version=0)
    queue.decide("q", one.key, "Bob", {"entities": [PLACE]}, version=1)
    back = queue.undo("q", "Ann")
    assert back.keys == () and one.key in back.kept
    assert labels(queue.open(one.key, "Cy").answer) == {"LOC"}
    assert queue.undo("q", "Ann").keys == (two.key,), "the next undo goes on behind it"
    assert queue.redo("q", "Ann").keys == (two.key,)
    queue.release(one.key, "Cy")
    assert queue.undo("q", "Bob").keys == (one.key,)
    assert labels(queue.open(one.key, "Cy").answer) == {"PER"}


def test_bulk_acceptance_is_undone_as_one(queue: Store) -> None:
    keys = [review.key for review in queue.page("q", "Ann").reviews]
    queue.decide("q", keys[1], "Bob", {}, version=0)
    changed = queue.accept("q", "Ann", dict.fromkeys(keys, 0))
    assert changed.keys == (keys[0], keys[2]) and "Bob has decided" in changed.kept[keys[1]]
    assert queue.undo("q", "Ann").keys == (keys[0], keys[2])
    with pytest.raises(InputError, match="at most 500"):
        queue.accept("q", "Ann", dict.fromkeys(range(501), 0))


def test_bulk_acceptance_takes_only_what_its_preview_showed(queue: Store) -> None:
    """Somebody predicts the queue between the preview and the click; versions count decisions alone."""
    one, two, three = (review.key for review in queue.page("q", "Ann").reviews)
    queue.suggest([(one, suggestion(0.31)), (two, suggestion(0.99, checkpoint="other"))])
    shown = dict.fromkeys((one, two, three), "cell")
    changed = queue.accept("q", "Ann", dict.fromkeys(shown, 0), least=0.9, checkpoints=shown)
    assert changed.keys == (three,) and queue.progress("q").decided == 1
    assert "does not score that much" in changed.kept[one] and "is other's by now" in changed.kept[two]
    queue.suggest([(one, Suggestion(answer=Answer(), checkpoint="cell"))])
    assert queue.accept("q", "Ann", {one: 0}, least=0.0).keys == (), "an empty answer has no score"


# ---------------------------------------------------------------- orders, filters, pages


def test_orders(store: Store) -> None:
    store.make_queue("q", TWEETS)
    store.add("q", tweets(30))
    keys = store.unsuggested("q", "cell")
    found = [replace(suggestion(0.5, entropy=float(i)), flip=float(i % 2)) for i in range(29)]
    store.suggest(list(zip(keys, found, strict=False)))

    def order(name: str, seed: int = 0) -> list[int]:
        return [review.key for review in store.page("q", "Ann", order=name, seed=seed).reviews]  # type: ignore[arg-type]

    assert order("input") == keys
    assert order("entropy") == [*reversed(keys[:29]), keys[29]], "a post without the score comes last"
    assert order("flip")[:14] == keys[1:29:2]
    assert order("random") == order("random") != order("random", seed=1) and set(order("random")) == set(keys)
    with pytest.raises(InputError, match="unknown order"):
        order("id; DROP TABLE posts")


def test_filters_and_pages(queue: Store) -> None:
    one, two, three = (review.key for review in queue.page("q", "Ann").reviews)
    queue.suggest([(two, suggestion(0.2))])
    queue.decide("q", one, "Ann", {"entities": [PLACE]}, version=0)

    def keys(**wanted: object) -> list[int]:
        return [review.key for review in queue.page("q", "Ann", wanted=Filter(**wanted)).reviews]  # type: ignore[arg-type]

    assert keys(statuses=("open",)) == [two, three] and keys(statuses=("open", "corrected")) == [
        one,
        two,
        three,
    ]
    assert keys(label="LOC") == [one] and keys(label="PER") == [two, three] and keys(label="%") == []
    assert keys(most=0.5) == [two] and keys(least=0.5) == [one, three]
    assert keys(reviewer="Ann") == [one] and keys(reviewer="An") == []
    assert keys(text="OAKLAND 2") == [three] and keys(text="p1") == [two] and keys(text="_") == []
    page = queue.page("q", "Ann", offset=1, limit=1)
    assert [review.key for review in page.reviews] == [two] and page.total == 3
    assert queue.page("q", "Ann", offset=9).reviews == ()


# ---------------------------------------------------------------- blind double review


@pytest.fixture
def double(store: Store) -> Store:
    store.make_queue("q", TWEETS, double=True)
    store.add("q", tweets(2))
    return store


def test_two_blind_reviews_that_agree_settle_a_post(double: Store) -> None:
    key = first(double).key
    assert first(double, "Bob").key == key, "two may look at the same post"
    assert first(double, "Cy").key != key
    double.decide("q", key, "Ann", {"entities": [PERSON, PLACE]}, version=0)
    seen = double.open(key, "Bob")
    assert seen.status == "second" and seen.decision is None and seen.version == 0
    done = double.decide("q", key, "Bob", {"entities": [PLACE, PERSON]}, version=0)
    assert done.status == "corrected"
    with pytest.raises(InputError, match="two reviews already"):
        double.decide("q", key, "Cy", {}, version=0)


def test_a_dispute_is_adjudicated(double: Store) -> None:
    key = first(double).key
    double.decide("q", key, "Ann", {"entities": [PERSON]}, version=0)
    double.decide("q", key, "Bob", {"entities": [PLACE]}, version=0)
    (dispute,) = double.disputes("q")
    assert [labels(decision.answer) for decision in dispute.decisions] == [{"PER"}, {"LOC"}]
    assert double.open(key, "Ann").decision == dispute.decisions[0], "each sees only their own"
    double.decide("q", key, "Ann", {"entities": []}, version=1)
    with pytest.raises(Conflict):
        double.adjudicate("q", key, "Cy", {"entities": [PERSON]}, version=dispute.version)
    (dispute,) = double.disputes("q")
    done = double.adjudicate("q", key, "Cy", {"entities": [PERSON]}, version=dispute.version)
    assert done.status == "corrected" and double.disputes("q") == ()
    with pytest.raises(InputError, match="has been adjudicated"):
        double.decide("q", key, "Ann", {}, version=2)
    assert double.undo("q", "Ann").kept, "nor can the blind reviews be undone any more"
    assert double.undo("q", "Cy").keys == (key,) and len(double.disputes("q")) == 1
    with pytest.raises(InputError, match="no post"):
        double.adjudicate("q", 99, "Cy", {}, version=0)


def test_agreeing_to_reject(double: Store) -> None:
    key = first(double).key
    double.decide("q", key, "Ann", {"entities": [PERSON]}, version=0, reject=True)
    assert double.decide("q", key, "Bob", {}, version=0, reject=True).status == "rejected"


# ---------------------------------------------------------------- posts


def test_an_import_can_be_repeated(queue: Store) -> None:
    done = queue.add("q", tweets(5))
    assert (done.added, done.known) == (2, 3)
    queue.make_queue("q", TWEETS)
    with pytest.raises(InputError, match="another dataset or kind"):
        queue.make_queue("q", OTHERS)
    with pytest.raises(InputError, match="exists with other labels of"):
        queue.make_queue("q", replace(TWEETS, entities=TWEETS.entities[1:]))
    retold = replace(
        TWEETS, title="Tweets", entities=tuple(replace(k, colour="#111111") for k in TWEETS.entities)
    )
    assert queue.make_queue("q", retold).scheme == TWEETS, "only labels tell two schemes apart"
    with pytest.raises(InputError, match="no queue 'r'"):
        queue.page("r", "Ann")


def test_answers_of_a_file_are_suggestions_or_decisions(store: Store) -> None:
    stated = [stating(item, suggestion().answer) for item in tweets(2)]
    for use in ("suggest", "ignore", "accept"):
        store.make_queue(use, TWEETS)
        store.add(use, stated, use=use, reviewer="Ann")  # type: ignore[arg-type]
    assert [r.suggestion.checkpoint for r in store.page("suggest", "Ann").reviews if r.suggestion] == [
        "file"
    ] * 2
    assert [r.suggestion for r in store.page("ignore", "Ann").reviews] == [None, None]
    unknown = (Entity(start=0, end=1, label="CITY"),)
    foreign = [replace(item, post=replace(item.post, id="new", entities=unknown)) for item in stated[:1]]
    with pytest.raises(InputError, match="unknown entity label 'CITY'"):
        store.add("suggest", foreign)
    assert store.add("ignore", foreign, use="ignore").added == 1
    decided = list(store.decided("accept"))
    assert [(r.status, r.decision and r.decision.reviewer) for r in decided] == [("accepted", "Ann")] * 2
    assert store.undo("accept", "Ann").keys == (), "an import is nobody's to undo"


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "{{x}}",
    "\u202eRTL",
    "a" + "\u0301" * 5000,
    "=1+1",
    "\0",
)


def test_hostile_text_is_kept_as_it_is(store: Store) -> None:
    post = replace(tweets(1)[0].post, text=" ".join(HOSTILE), tokens=HOSTILE)
    store.make_queue("q", TWEETS)
    store.add("q", [replace(tweets(1)[0], post=post)])
    assert first(store).post == post
    assert store.page("q", "Ann", wanted=Filter(text="ONERROR")).total == 1


def test_posts_that_cannot_be_kept_are_refused(store: Store) -> None:
    store.make_queue("q", TWEETS)
    for change, says in (
        ({"tokens": ()}, "no list of words"),
        ({"tokens": ("\ud83d",)}, "surrogate"),
        ({"id": "a\nb"}, "control characters"),
        ({"id": "x" * 301}, "300 characters"),
        ({"text": "x" * 500_000}, "longer than"),
    ):
        bad = replace(tweets(1)[0], post=replace(tweets(1)[0].post, **change))  # type: ignore[arg-type]
        with pytest.raises(InputError, match=says):
            store.add("q", [bad])
    assert store.progress("q").posts == 0


def test_scripts_of_the_version_before_open_a_store_by_its_package(tmp_path):
    from mmdemo.review import store as package
    from mmdemo.review.store import open_store as opened

    assert opened is open_store
    with pytest.raises(AttributeError, match="no attribute 'close_store'"):
        _ = package.close_store
