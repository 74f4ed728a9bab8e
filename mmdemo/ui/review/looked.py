"""A preview of an import as HTML: posts, photos, labels and what they become, notes, and the first rows."""

from mmdemo.formats.given.looking import Look
from mmdemo.review.importing import said
from mmdemo.types import Question, quoted
from mmdemo.ui.shell import view
from mmdemo.ui.shell.safe import safe

LABELS_SHOWN = 60


def look_html(seen: Look) -> str:
    """What would come in; every text in it is a stranger's."""
    more = "" if seen.complete else " (the first ones of a longer file)"
    files = ", ".join(f"{name} ({form}, {count:,} posts)" for name, form, count in seen.files)
    photos = f"Photos: {seen.found:,} found, {seen.lost:,} not found, {seen.bare:,} posts name none."
    missing = f" Not found: {', '.join(map(quoted, seen.missing))}." if seen.missing else ""
    head = f"Preview, nothing is stored yet: {seen.posts:,} posts{more}, {seen.answered:,} with answers."
    parts = [f'<div class="rv-look"><p class="rv-told" role="status">{safe(head)}</p>']
    parts.append(f"<p>{safe(files)}</p><p>{safe(photos + missing)}</p>")
    if seen.labels:
        parts.append(_table(("label", "times", "becomes"), [_label_row(seen, at) for at in _shown(seen)]))
    if seen.rows:
        parts.append(_table(("id", "text", "photo", "answer"), [_row(row) for row in seen.rows]))
    parts.append(view.notes_html(tuple(seen.notes[:20])))
    end = "“Add posts” takes them in; to cancel, remove the files or choose others."
    parts.append(view.error_html(seen.problem) if seen.problem else f"<p>{end}</p>")
    return "".join([*parts, "</div>"])


def _shown(seen: Look) -> range:
    return range(min(len(seen.labels), LABELS_SHOWN))


def _label_row(seen: Look, at: int) -> tuple[str, ...]:
    one = seen.labels[at]
    ends = {"": "left out", None: "not known: give it a name above, as OLD=NEW"}
    return f"{one.label} ({one.kind})", f"{one.count:,}", ends.get(one.becomes, one.becomes or "")


def _row(row: Question) -> tuple[str, ...]:
    post = row.post
    marks = [f"{entity.label} {entity.text}" for entity in post.entities or ()]
    marks += [f"{said(row, r.head)} {r.label} {said(row, r.tail)}" for r in post.relations or ()]
    photo = "" if post.image is None else "yes"
    text = post.text or " ".join(post.tokens)
    return post.id or "", text[:200], photo, "; ".join(marks)[:300]


def _table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    cells = ("".join(f'<td dir="auto">{safe(cell)}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{one}</tr>" for one in cells)
    return f'<table class="rv-agreement"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
