"""The next post: every order, begun behind any post, goes round once and reads no more than it must."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event, inspect, text

from mmdemo.review.records import Answer, Filter, Order, Suggestion
from mmdemo.review.store.engine import NEWEST
from mmdemo.review.store.opening import TRIED
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError
from tests.review.conftest import TWEETS, tweets

#: Ties, and posts without a score, in no order that another one has.
VALUES = (0.5, None, 0.9, 0.5, None, 0.1, 0.5, 0.7)


@pytest.fixture
def queue(store: Store) -> Store:
    """Queue "q" with a post for each of `VALUES`."""
    store.make_queue("q", TWEETS)
    store.add("q", tweets(len(VALUES)))
    found = [
        Suggestion(answer=Answer(), checkpoint="cell", entropy=v, disagreement=v, flip=v) for v in VALUES
    ]
    store.suggest(list(zip(store.unsuggested("q", "cell"), found, strict=True)))
    return store


def pressed(store: Store, order: Order, after: int | None, wanted: Filter | None = None) -> int | None:
    """The post that N shows, given back at once."""
    found = store.next("q", "Ann", order=order, after=after, wanted=wanted, seed=3)
    if found is None:
        return None
    store.release(found.key, "Ann")
    return found.key


@pytest.mark.parametrize("order", ["entropy", "disagreement", "flip", "random", "input"])
def test_next_follows_the_list_and_goes_round(queue: Store, order: Order) -> None:
    listed = [row.key for row in queue.page("q", "Ann", order=order, seed=3).reviews]
    assert len(listed) == len(VALUES)
    assert pressed(queue, order, None) == listed[0]
    for one, other in pairwise([*listed, listed[0]]):
        assert pressed(queue, order, one) == other
    for key in listed[:2]:  # what is decided is passed over, at the end and at the start
        queue.decide("q", key, "Bob", {}, version=0)
    assert pressed(queue, order, listed[-1]) == listed[2]
    # A post that the filter does not have is no place to begin behind.
    assert pressed(queue, order, listed[1], Filter(statuses=("open",))) == listed[2]
    assert pressed(queue, order, 10**9) == listed[2]


def test_next_finds_the_one_post_that_nobody_holds(store: Store) -> None:
    store.make_queue("q", TWEETS, double=True)
    store.add("q", tweets(2 * TRIED + 1))
    keys = [row.key for row in store.page("q", "Ann").reviews]
    for key in keys[:-1]:  # both seats taken: found out only by trying, in several goes
        store.lease(key, "Bob")
        store.lease(key, "Cy")
    found = store.next("q", "Ann")
    assert found and found.key == keys[-1]
    assert store.next("q", "Ann", after=keys[-1]) is None, "all others are held"
    with pytest.raises(InputError, match="whole number"):
        store.next("q", "Ann", after=-1)


def test_names_that_differ_in_letter_case_are_two_reviewers(store: Store) -> None:
    store.make_queue("q", TWEETS, double=True)
    store.add("q", tweets(1))
    store.decide("q", 1, "Ann", {}, version=0)
    assert store.next("q", "Ann") is None
    found = store.next("q", "ann")
    assert found and found.key == 1
    for name, count in (("Ann", 1), ("ann", 0), ("An", 0), ("A%", 0)):
        assert store.page("q", "Bob", wanted=Filter(reviewer=name)).total == count


def test_next_reads_an_index_in_place_of_the_queue(template: Path, tmp_path: Path) -> None:
    """Without it each press of N sorts all posts: at 10,000 that is 16 ms in SQLite, and grows."""
    store = Store(f"sqlite:///{shutil.copy(template, tmp_path)}", tmp_path)
    asked: list[tuple[str, tuple]] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda c, u, sql, values, *_: asked.append((sql, values))
    )
    store.make_queue("q", TWEETS)
    with store.engine.connect() as connection:
        for order in ("entropy", "disagreement", "flip"):
            asked.clear()
            assert store.next("q", "Ann", order=order) is None
            sql, values = next(call for call in asked if "ORDER BY" in call[0])
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
            assert f"USING INDEX posts_{order} " in plan[0][-1]
    store.close()


def test_a_database_of_the_first_version_comes_up_to_date(url: str, tmp_path: Path) -> None:
    store = Store(url, tmp_path)
    store.make_queue("q", TWEETS)
    store.add("q", tweets(2))
    store.decide("q", 1, "Ann", {}, version=0)
    with store.engine.execution_options(writes=True).begin() as connection:
        for order in ("entropy", "disagreement", "flip"):
            connection.execute(text(f"DROP INDEX posts_{order}"))
        connection.execute(text("ALTER TABLE queues DROP COLUMN record"))
        connection.execute(text("DROP TABLE photo_changes"))
        for column in ("photo_words", "photo_version"):
            connection.execute(text(f"ALTER TABLE posts DROP COLUMN {column}"))
        connection.execute(text("CREATE TABLE drafts (post_id BIGINT REFERENCES posts, body TEXT)"))
        connection.execute(text("INSERT INTO drafts VALUES (1, 'unsent')"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    store.close()
    again = Store(url, tmp_path)
    assert again.progress("q").by_status == {"corrected": 1, "open": 1}
    found = again.next("q", "Ann", order="flip")
    assert found and found.key == 2 and found.scheme == TWEETS
    assert (found.post.photo_words, found.photo_version) == ((), 0)
    assert again.describe_photo("q", 2, "Ann", "A sign.", version=0).photo_version == 1
    assert not inspect(again.engine).has_table("drafts")
    with again.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == NEWEST
    again.close()
