"""What a browser asks of the Review tab, read from JSON that may be forged."""

import math
from dataclasses import dataclass
from typing import Any

from mmdemo.review.names import check_name, check_number
from mmdemo.review.records import ORDERS, STATUSES, Filter, Order
from mmdemo.types import InputError, quoted

MAX_BODY = 2_000_000  # bytes; the store looks at answers of a tenth
MAX_TEXT = 300  # characters of a filter
MAX_PAGES = 1_000_000
FIELDS = frozenset(
    "name queue mode filters page id leave version answer verdict seconds posts least expect "
    "photo_version photo_words description".split()
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request. ``answer`` is not looked at here: the store checks it against its post. Nor are
    ``photo_words`` and ``description``, what the photo shows; ``photo_version`` is of those.

    ``posts`` are versions by key, ``least`` and ``checkpoints`` what a bulk decision's preview went by.
    ``expect``: the posts of the decision that an undo or redo is meant for.
    """

    name: str
    queue: str | None
    settles: bool
    order: Order
    wanted: Filter
    page: int
    key: int | None
    leave: int | None
    version: int | None
    answer: Any
    reject: bool
    seconds: float | None
    posts: dict[int, int]
    least: float | None
    checkpoints: dict[int, str]
    expect: frozenset[int] | None
    photo_version: int | None
    photo_words: Any
    description: Any

    @property
    def id(self) -> int:
        """The post that is asked for. Raises InputError where none is."""
        if self.key is None:
            raise InputError("the request names no post")
        return self.key

    @property
    def chosen(self) -> str:
        """The queue that is asked for. Raises InputError where none is."""
        if self.queue is None:
            raise InputError("the request names no queue")
        return self.queue


def read_asked(sent: Any, length: str | None = None) -> Asked:
    """A checked request; ``length`` is its Content-Length.

    Raises:
        InputError: too long, or a field is unknown or not what it should be.
    """
    if length is not None and length.isdigit() and int(length) > MAX_BODY:
        raise InputError(f"the request has {int(length):,} bytes; at most {MAX_BODY:,} are read")
    if not isinstance(sent, dict) or not set(sent) <= FIELDS:
        raise InputError("the request is not an object with the editor's fields")
    queue, mode, verdict = sent.get("queue"), sent.get("mode", "review"), sent.get("verdict", "accept")
    if mode not in ("review", "settle") or verdict not in ("accept", "reject"):
        raise InputError("the request has an unknown mode or verdict")
    name = sent.get("name") or ""
    if not isinstance(name, str):
        raise InputError("the reviewer's name is not text")
    filters = sent.get("filters") or {}
    return Asked(
        name=name[:MAX_TEXT],
        queue=None if queue is None else check_name(queue, "queue"),
        settles=mode == "settle",
        order=_order(filters),
        wanted=_filter(filters),
        page=min(check_number(sent.get("page", 0), "page"), MAX_PAGES),
        key=_number(sent, "id"),
        leave=_number(sent, "leave"),
        version=_number(sent, "version"),
        answer=sent.get("answer"),
        reject=verdict == "reject",
        seconds=sent.get("seconds"),
        posts=_posts(sent.get("posts") or []),
        least=_least(sent.get("least")),
        checkpoints=_checkpoints(sent.get("posts") or []),
        expect=_keys(sent.get("expect")),
        photo_version=_number(sent, "photo_version"),
        photo_words=sent.get("photo_words"),
        description=sent.get("description"),
    )


def _number(sent: dict[str, Any], key: str) -> int | None:
    value = sent.get(key)
    return None if value is None else check_number(value, key)


def _posts(sent: Any) -> dict[int, int]:
    if not isinstance(sent, list) or not all(isinstance(row, dict) for row in sent):
        raise InputError("the posts are not a list of objects")
    return {check_number(r.get("id"), "id"): check_number(r.get("version"), "version") for r in sent}


def _checkpoints(posts: list[dict[str, Any]]) -> dict[int, str]:
    """Of the posts that say so, whose suggestion was shown."""
    found = {row["id"]: row["checkpoint"] for row in posts if row.get("checkpoint") is not None}
    if not all(isinstance(name, str) for name in found.values()):
        raise InputError("a checkpoint's name is not text")
    return found


def _least(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise InputError("the threshold is not a number from 0 to 1")
    return float(value)


def _keys(sent: Any) -> frozenset[int] | None:
    if sent is None:
        return None
    if not isinstance(sent, list):
        raise InputError("the expected posts are not a list")
    return frozenset(check_number(key, "post's key") for key in sent)


def _order(filters: Any) -> Order:
    order = filters.get("order", "input") if isinstance(filters, dict) else None
    for known in ORDERS:
        if order == known:
            return known
    raise InputError(f"unknown order {quoted(order)}; known: {', '.join(ORDERS)}")


def _filter(filters: dict[str, Any]) -> Filter:
    """Empty fields mean all; scores come in per cent."""
    texts = {key: filters.get(key) or None for key in ("status", "label", "reviewer", "text")}
    if not all(text is None or (isinstance(text, str) and len(text) <= MAX_TEXT) for text in texts.values()):
        raise InputError(f"a filter is not a text of at most {MAX_TEXT} characters")
    if any(_unstorable(text) for text in texts.values() if text):
        raise InputError("a filter holds a character that no post can hold")
    statuses = tuple(status for status in STATUSES if status == texts["status"])
    if texts["status"] and not statuses:
        raise InputError(f"unknown status {texts['status'][:40]!r}; known: {', '.join(STATUSES)}")
    return Filter(
        statuses=statuses,
        label=texts["label"],
        least=_share(filters.get("low")),
        most=_share(filters.get("high")),
        reviewer=texts["reviewer"],
        text=texts["text"],
    )


def _unstorable(text: str) -> bool:
    """Half of a surrogate pair, or NUL: a database takes neither."""
    return any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def _share(value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:  # OverflowError: 10**400
        raise InputError("a score to filter by is not a number from 0 to 100") from error
    if not math.isfinite(number) or not 0 <= number <= 100:
        raise InputError("a score to filter by is not a number from 0 to 100")
    return number / 100
