"""Whether rows fit a format, and whether what was written reads back as it was."""

from collections.abc import Sequence

from mmdemo.formats.format import Format
from mmdemo.posts.gold import name_of
from mmdemo.posts.words import offsets_of
from mmdemo.types import Entity, InputError, Post, Question, Relation, Span, quoted


def unfit(rows: Sequence[Question], found: Format) -> dict[str, str]:
    """Why which posts, by id, cannot be written."""
    problems, seen = {}, set[str | None]()
    for row in rows:
        problem = found.problem(row)
        name = found.name_of(row)
        if problem is None and name in seen and not found.ordered:
            problem = f"another post is called {quoted(name)} too, by which the file tells them apart"
        if problem is None:
            seen.add(name)
        else:
            problems[row.post.id or ""] = problem
    return problems


def compare(written: Sequence[Question], back: Sequence[Question], found: Format) -> None:
    """Raises InputError naming the first post that does not come back as it is."""
    there = {found.name_of(row): row for row in back}
    for place, row in enumerate(written):
        again = there.get(found.name_of(row))
        if found.ordered:
            again = back[place] if place < len(back) else None
        if again is None or not same(row.post, again.post, found):
            raise InputError(f"{name_of(row.post)} does not read back as it was written; nothing was kept")
        if _scores(row.post, found) != _scores(again.post, found):
            raise InputError(f"the scores of {name_of(row.post)} do not read back; nothing was kept")
        if _deciders(row, found) != _deciders(again, found):
            raise InputError(f"who decided {name_of(row.post)} does not read back; nothing was kept")
    if len(back) != len(written):
        raise InputError(f"{len(back)} posts read back, where {len(written)} were written; nothing was kept")


def _scores(post: Post, found: Format) -> list[float | None]:
    """The scores that a format holds."""
    stated: list[Entity | Relation] = [*(post.entities or ())] if found.scores else []
    stated += (post.relations or ()) if found.relation_scores else ()
    return [item.score for item in stated]


def _deciders(row: Question, found: Format) -> object:
    """What of who decided a format holds: all of it, or the last one's name and time."""
    if found.decided or not row.decided:
        return row.decided if found.decided or found.annotators else ()
    return (row.decided[-1].by, row.decided[-1].at) if found.annotators else ()


def same(one: Post, other: Post, found: Format) -> bool:
    """Whether two posts are the same in all that the format holds; scores do not count."""
    return (
        one.tokens == other.tokens
        and stated(one) == stated(other)
        and (not found.text or (one.text, offsets_of(one)) == (other.text, offsets_of(other)))
        and (not found.photo_id or one.image_id == other.image_id)
        and (not found.photo_words or one.photo_words == other.photo_words)
    )


def stated(post: Post) -> frozenset[tuple[int | str | Span, ...]]:
    """What counts when answers are compared: (start, end, label) and (head, tail, label)."""
    entities = {(e.start, e.end, e.label) for e in post.entities or ()}
    return frozenset(entities | {(r.head, r.tail, r.label) for r in post.relations or ()})
