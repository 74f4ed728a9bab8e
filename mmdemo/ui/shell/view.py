"""Prediction -> HTML and plain values. Pure: no gradio, no torch, so tests and the command line use it too.

Every text of a tweet passes `safe` on its way into HTML.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from mmdemo.types import Entity, Post, Prediction, Relation, Span
from mmdemo.ui.shell.safe import percent, safe, sentence


class Look(NamedTuple):
    """How one kind of span looks (chip is AA with white text, tint with #111), and what it means."""

    colour: str
    tint: str
    underline: str
    meaning: str = ""


#: The underline differs too, so that the types are told apart without seeing colour.
LOOKS: dict[str, Look] = {
    "PER": Look("#0072B2", "#CDE6F5", "solid", "person"),
    "LOC": Look("#00795A", "#CDEFE3", "dashed", "place"),
    "ORG": Look("#B84A00", "#FBDCC8", "double", "organisation"),
    "MISC": Look("#A2487A", "#F3DCE9", "dotted", "another name"),
    "OTHER": Look("#A2487A", "#F3DCE9", "dotted", "another name"),
}
UNKNOWN_LOOK = Look("#555555", "#E5E5E5", "solid")
HEAD_LOOK = Look("#0072B2", "#CDE6F5", "solid")
TAIL_LOOK = Look("#B84A00", "#FBDCC8", "double")

TOP_RELATIONS = 5


def words_of(post: Post, span: Span) -> str:
    """The words of a span, parted by blanks."""
    return " ".join(post.tokens[span[0] : span[1]])


# --- the tweet with its spans ------------------------------------------------------------------


def spaces_before(post: Post) -> list[str]:
    """What stood before each word in the text as written: nothing, a blank or a line break.

    The words may have been cut ("#NBA" -> "#", "NBA") or cleaned, so each is looked up in the text
    from left to right; one that is not found gets a blank.
    """
    gaps, at = [], 0
    for token in post.tokens:
        found = post.text.find(token, at)
        between = " " if found < 0 else post.text[at:found]
        gaps.append("\n" if "\n" in between else " " if between else "")
        at = at if found < 0 else found + len(token)
    return ["", *gaps[1:]] if gaps else []


class Run(NamedTuple):
    """Neighbouring words under the same spans (indices into the list of spans)."""

    start: int
    end: int
    members: tuple[int, ...]


def runs(length: int, spans: Sequence[Span]) -> list[Run]:
    """Cut ``length`` words wherever a span begins or ends; spans may nest or overlap."""
    under = [tuple(i for i, (s, e) in enumerate(spans) if s <= w < e) for w in range(length)]
    found = []
    for members, group in groupby(range(length), key=under.__getitem__):
        words = list(group)
        found.append(Run(words[0], words[-1] + 1, members))
    return found


def _words_html(post: Post, gaps: list[str], run: Run) -> str:
    inner = "".join(gaps[w] + post.tokens[w] for w in range(run.start + 1, run.end))
    return safe(post.tokens[run.start] + inner)


def _span_html(look: Look, before: str, words: str, after: str) -> str:
    style = f"--mm-colour:{look.colour};--mm-tint:{look.tint};--mm-line:{look.underline}"
    return f'<mark class="mm-span" style="{style}">{before}<bdi>{words}</bdi>{after}</mark>'


def _chip(text: str, colour: str, extra: str = "") -> str:
    return f'<span class="mm-chip" style="background:{colour}">{text}{extra}</span>'


def entities_html(post: Post, entities: Sequence[Entity]) -> str:
    """The tweet with each entity tinted, underlined in its type's way, and its label and score behind it."""
    gaps, parts = spaces_before(post), []
    for run in runs(len(post.tokens), [(e.start, e.end) for e in entities]):
        words = _words_html(post, gaps, run)
        if run.members:
            chips = [entities[i] for i in run.members if entities[i].end == run.end]
            looks = [LOOKS.get(e.label, UNKNOWN_LOOK) for e in chips]
            after = "".join(
                _chip(safe(e.label), look.colour, f" <span>{percent(e.score)}</span>")
                for e, look in zip(chips, looks, strict=True)
            )
            look = LOOKS.get(entities[run.members[-1]].label, UNKNOWN_LOOK)
            words = _span_html(look, "", words, after)
        parts.append(gaps[run.start] + words)
    return f"{_tweet_html(parts)}{_legend(entities)}"


def _tweet_html(parts: Sequence[str]) -> str:
    """The tweet's box. A long one scrolls, so keys must reach it, and it needs a name."""
    box = 'class="mm-tweet" dir="auto" tabindex="0" role="group" aria-label="Tweet"'
    return f"<p {box}>{''.join(parts)}</p>"


def _legend(entities: Sequence[Entity]) -> str:
    """What the labels in sight mean, in the schema's order."""
    labels = {e.label for e in entities}
    meanings = [f"{label} = {look.meaning}" for label, look in LOOKS.items() if label in labels]
    return f'<p class="mm-quiet">{" · ".join(meanings)}</p>' if meanings else ""


def pair_html(post: Post, head: Span, tail: Span) -> str:
    """The tweet with both sides of the relation marked by E1 and E2 chips."""
    names, looks = ("E1", "E2"), (HEAD_LOOK, TAIL_LOOK)
    spans, gaps, parts = (head, tail), spaces_before(post), []
    for run in runs(len(post.tokens), spans):
        words = _words_html(post, gaps, run)
        if run.members:
            chips = [_chip(names[i], looks[i].colour) for i in run.members if spans[i][0] == run.start]
            words = _span_html(looks[run.members[-1]], "".join(chips), words, "")
        parts.append(gaps[run.start] + words)
    return _tweet_html(parts)


# --- results -----------------------------------------------------------------------------------


def readable(relation: str) -> str:
    """``/per/org/member_of`` -> "member of"; ``None`` -> "no relation"."""
    return "no relation" if relation == "None" else relation.rsplit("/", 1)[-1].replace("_", " ")


def bars_html(relations: Sequence[Relation]) -> str:
    """The likeliest relations as bars with printed percentages, and what is left for the others."""
    rows = []
    for relation in relations[:TOP_RELATIONS]:
        width = 100 * min(max(relation.score or 0.0, 0.0), 1.0)
        rows.append(
            f"<li><span><b>{safe(readable(relation.label))}</b> <code>{safe(relation.label)}</code></span>"
            f'<span class="mm-number">{percent(relation.score)}</span>'
            f'<span class="mm-track"><span class="mm-fill" style="width:{width:.1f}%"></span></span></li>'
        )
    shown = sum(r.score or 0.0 for r in relations[:TOP_RELATIONS])
    rest = f'<p class="mm-quiet">All other relations together: {percent(max(0.0, 1 - shown))}</p>'
    return f'<ol class="mm-bars">{"".join(rows)}</ol>{rest if rows else ""}'


def _footer_html(prediction: Prediction) -> str:
    photo = "read with the photo" if prediction.image_used else "read without a photo"
    return f'<p class="mm-quiet">{photo} by <code>{safe(prediction.checkpoint)}</code></p>'


def _headline(prediction: Prediction) -> str:
    pair = prediction.post.pair
    if pair is None:
        count = len(prediction.entities)
        return "No entity found" if not count else f"{count} {'entity' if count == 1 else 'entities'}"
    if not prediction.relations:
        return "No relation found"
    head, tail = (safe(words_of(prediction.post, span)) for span in (pair.head, pair.tail))
    best = prediction.relations[0]
    name = "no relation with" if best.label == "None" else safe(readable(best.label))
    return f"<bdi>{head}</bdi> <em>{name}</em> <bdi>{tail}</bdi> · {percent(best.score)}"


def result_html(prediction: Prediction) -> str:
    """The answer: warnings, headline, the tweet with its spans, for a relation the bars, and who answered."""
    post = prediction.post
    if post.pair is None:
        body = entities_html(post, prediction.entities)
    else:
        body = pair_html(post, post.pair.head, post.pair.tail) + bars_html(prediction.relations)
    return (
        f"{notes_html(prediction.warnings)}"
        f'<section class="mm-result" role="status"><h3>{_headline(prediction)}</h3>'
        f"{body}{_footer_html(prediction)}</section>"
    )


def empty_html(text: str) -> str:
    """What stands where a result will be."""
    return f'<section class="mm-result mm-empty"><p>{safe(text)}</p></section>'


def notes_html(warnings: Sequence[str]) -> str:
    """Warnings in words; nothing where there are none."""
    items = "".join(f"<li>{safe(sentence(w))}</li>" for w in warnings)
    return f'<ul class="mm-notes" role="status">{items}</ul>' if items else ""


def error_html(message: str) -> str:
    """Why there is no answer, announced to screen readers at once."""
    return f'<p class="mm-error" role="alert">{safe(sentence(message))}</p>'


# --- plain values ------------------------------------------------------------------------------


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """The answer as JSON values; the command line prints the same."""
    post = prediction.post
    common = {
        "image_used": prediction.image_used,
        "checkpoint": prediction.checkpoint,
        "warnings": list(prediction.warnings),
    }
    if post.pair is None:
        return {"entities": [_entity_json(post, e) for e in prediction.entities], **common}
    best = prediction.relations[:TOP_RELATIONS]
    return {
        "relations": [{"label": r.label, "score": r.score} for r in best],
        "head": _span_json(post, post.pair.head),
        "tail": _span_json(post, post.pair.tail),
        **common,
    }


def _span_json(post: Post, span: Span) -> dict[str, Any]:
    return {"text": words_of(post, span), "start": span[0], "end": span[1]}


def _entity_json(post: Post, entity: Entity) -> dict[str, Any]:
    text = entity.text or words_of(post, (entity.start, entity.end))
    return {
        "text": text,
        "label": entity.label,
        "start": entity.start,
        "end": entity.end,
        "score": entity.score,
    }
