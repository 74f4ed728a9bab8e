"""``python -m mmdemo review list``, ``history`` and ``agreement``: what a store says, as lines or as JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.review.agreement import agreements
from mmdemo.review.answers import answer_row
from mmdemo.review.records import ORDERS, STATUSES, Filter, Progress, Review, Status
from mmdemo.terminal import say, say_json
from mmdemo.types import InputError, quoted

QueueName = Annotated[str, typer.Option("--queue", help="The queue's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Place = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="SQLite file or postgresql://… URL; else $MMDEMO_DATABASE_URL, $MMDEMO_REVIEWS or "
        "./reviews.sqlite3.",
    ),
]


def report(value: Any, as_json: bool, *lines: str) -> None:
    """Print the value as JSON, or the lines that say it to people."""
    say_json(value) if as_json else say(*lines)


def list_(
    queue: Annotated[
        str | None, typer.Option("--queue", help="The queue; all queues' counts if not said.")
    ] = None,
    order: Annotated[str, typer.Option(help="entropy, disagreement, flip, random or input.")] = "input",
    status: Annotated[
        str, typer.Option(help="By commas: open, second, disputed, accepted, corrected, rejected.")
    ] = "",
    label: Annotated[str | None, typer.Option(help="Posts whose answer has this label.")] = None,
    least: Annotated[float | None, typer.Option(help="Least score of the suggestion.")] = None,
    most: Annotated[float | None, typer.Option(help="Largest score of the suggestion.")] = None,
    reviewer: Annotated[str | None, typer.Option(help="Posts that this person decided.")] = None,
    text: Annotated[str | None, typer.Option(help="Posts with this text, or this id.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random order.")] = 0,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Show a page of a queue, or the progress of all queues.

    Example: python -m mmdemo review list --queue may --order entropy --status open --limit 5
    """
    from mmdemo.review.store.reviews import open_store  # here, as below: SQL takes half a second

    store = open_store(place)
    if queue is None:
        return _say_progress([store.progress(known.name) for known in store.queues()], as_json)
    ordered = next((known for known in ORDERS if known == order), None)
    if ordered is None:
        raise InputError(f"unknown order {quoted(order)}; known: {', '.join(ORDERS)}")
    wanted = Filter(
        statuses=_statuses(status), label=label, least=least, most=most, reviewer=reviewer, text=text
    )
    page = store.page(
        queue, "command line", order=ordered, wanted=wanted, seed=seed, offset=offset, limit=limit
    )
    rows = [_row(review) for review in page.reviews]
    lines = [
        line for r in rows for line in (f"{r['status']:9} {r['id']}: {r['text']}", f"{'':10}{r['says']}")
    ]
    report({"total": page.total, "posts": rows}, as_json, *lines, f"{page.total} posts in all")


def _say_progress(found: list[Progress], as_json: bool) -> None:
    lines = [
        f"{p.queue.name}: {p.decided} of {p.posts} decided, {p.suggested} with a suggestion "
        f"({p.queue.dataset}{', double' if p.queue.double else ''})"
        for p in found
    ]
    report([asdict(p) | {"decided": p.decided} for p in found], as_json, *(lines or ["no queue yet"]))


def _statuses(listed: str) -> tuple[Status, ...]:
    names = {name.strip() for name in listed.split(",") if name.strip()}
    if unknown := names - set(STATUSES):
        raise InputError(f"unknown status {quoted(min(unknown))}; known: {', '.join(STATUSES)}")
    return tuple(known for known in STATUSES if known in names)


def _row(review: Review) -> dict[str, Any]:
    answer = review.answer
    said = [f"{e.label} {quoted(e.text)}" for e in answer.entities] + [link.label for link in answer.links]
    suggestion = review.suggestion
    return {
        "key": review.key,
        "id": review.post.id,
        "text": review.post.text,
        "status": review.status,
        "reviewer": review.decision.reviewer if review.decision else None,
        "score": suggestion.score if suggestion else None,
        "checkpoint": suggestion.checkpoint if suggestion else None,
        "says": ", ".join(said) or "nothing",
        **answer_row(answer),
    }


def agreement(queue: QueueName, place: Place = None, as_json: Json = False) -> None:
    """How far the reviewers of a double queue agree: F1 of their spans, Cohen's kappa, per class.

    Example: python -m mmdemo review agreement --queue may
    """
    from mmdemo.review.store.reviews import open_store

    found = agreements(open_store(place).double_reviews(queue))
    lines = []
    for pair in found:
        lines.append(f"{pair.reviewers[0]} and {pair.reviewers[1]}, {pair.posts} posts")
        lines.append(f"  {'':32} exact F1  overlap F1  kappa   marked")
        for title, scores in (
            ("entities", pair.entities),
            *pair.by_entity.items(),
            ("relations", pair.relations),
            *pair.by_relation.items(),
        ):
            figures = [_figure(scores.exact), _figure(scores.overlap), _figure(scores.kappa)]
            lines.append(
                f"  {title:32} {figures[0]:>8}  {figures[1]:>10}  {figures[2]:>5}   "
                f"{scores.first} / {scores.second}"
            )
    report([asdict(pair) for pair in found], as_json, *(lines or ["no post has two reviews yet"]))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _key_of(store: Any, queue: str, post: str) -> int:
    """The number of the post of this id. Raises InputError where there is none."""
    wanted, start, total = Filter(text=post), 0, 1
    while start < total:  # the filter takes posts that hold the id anywhere, perhaps many
        page = store.page(queue, "command line", wanted=wanted, offset=start, limit=500)
        for review in page.reviews:
            if review.post.id == post:
                return int(review.key)
        start, total = start + 500, page.total
    raise InputError(f"there is no post {quoted(post)} in the queue {quoted(queue)}")


def history(
    queue: QueueName,
    post: Annotated[str, typer.Option("--id", help="The post's id.")],
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Everything that happened to one post, oldest first.

    Example: python -m mmdemo review history --queue may --id 17_06_4705
    """
    from mmdemo.review.store.reviews import open_store

    store = open_store(place)
    key = _key_of(store, queue, post)
    events = store.history(key)
    lines = [f"{e.at} {e.reviewer}: {e.kind} -> {e.after.verdict if e.after else 'open'}" for e in events]
    report([asdict(event) for event in events], as_json, *(lines or ["nothing yet"]))


def freeze(
    name: Annotated[str, typer.Argument(help="What to call it; train run --extra takes it by this name.")],
    queue: QueueName,
    folder: Annotated[Path, typer.Option(help="Where frozen exports lie.")] = Path("frozen"),
    place: Place = None,
    as_json: Json = False,
) -> None:
    """Freeze the decided posts: numbered, hashed, with photos, who decided, guidelines and agreement.

    Example: python -m mmdemo review freeze harbour --queue may
    """
    from mmdemo.review.frozen import freeze as make
    from mmdemo.review.store.reviews import open_store

    made = make(open_store(place), queue, name, folder)
    what = "frozen as" if made.fresh else "nothing new since"
    line = (
        f"{made.posts:,} posts {what} {made.name}@{made.number} in {made.folder}, sha256 {made.sha256[:12]}"
    )
    report(asdict(made) | {"folder": str(made.folder)}, as_json, line)
