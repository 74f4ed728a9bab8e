"""Prediction -> HTML. Pure: no gradio, so tests and the command line use it too.

Every text of a tweet passes `safe` on its way into HTML.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from mmdemo.answer.answer_json import TOP_RELATIONS, words_of
from mmdemo.datasets.looks import HEAD_LOOK, TAIL_LOOK, UNKNOWN_LOOK, Look, looks_of
from mmdemo.datasets.schema import Dataset, readable
from mmdemo.posts.words import offsets_of
from mmdemo.types import Entity, Pair, Post, Prediction, Question, Relation, Span
from mmdemo.ui.shell.safe import percent, safe, sentence

# --- the tweet with its spans ------------------------------------------------------------------


def spaces_before(post: Post) -> list[str]:
    """What stood before each word in the text as written: nothing, a blank or a line break.

    A word that does not stand in the text gets a blank.
    """
    gaps, at = [], 0
    for place in offsets_of(post):
        between = " " if place is None else post.text[at : place[0]]
        gaps.append("\n" if "\n" in between else " " if between else "")
        at = at if place is None else max(at, place[1])
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


def entities_html(post: Post, entities: Sequence[Entity], looks: Mapping[str, Look]) -> str:
    """The tweet with each entity tinted, underlined in its type's way, and its label and score behind it."""
    gaps, parts = spaces_before(post), []
    for run in runs(len(post.tokens), [(e.start, e.end) for e in entities]):
        words = _words_html(post, gaps, run)
        if run.members:
            chips = [entities[i] for i in run.members if entities[i].end == run.end]
            own = [looks.get(e.label, UNKNOWN_LOOK) for e in chips]
            after = "".join(
                _chip(safe(e.label), look.colour, f" <span>{percent(e.score)}</span>")
                for e, look in zip(chips, own, strict=True)
            )
            look = looks.get(entities[run.members[-1]].label, UNKNOWN_LOOK)
            words = _span_html(look, "", words, after)
        parts.append(gaps[run.start] + words)
    return f"{_tweet_html(parts)}{_legend(entities, looks)}"


def _tweet_html(parts: Sequence[str]) -> str:
    """The tweet's box. A long one scrolls, so keys must reach it, and it needs a name."""
    box = 'class="mm-tweet" dir="auto" tabindex="0" role="group" aria-label="Tweet"'
    return f"<p {box}>{''.join(parts)}</p>"


def _legend(entities: Sequence[Entity], looks: Mapping[str, Look]) -> str:
    """What the labels in sight mean, in the dataset's order; a label without a meaning says it itself."""
    labels = {e.label for e in entities}
    meanings = [
        f"{safe(label)} = {safe(look.meaning)}"
        for label, look in looks.items()
        if label in labels and look.meaning
    ]
    return f'<p class="mm-quiet">{" · ".join(meanings)}</p>' if meanings else ""


def pair_html(post: Post, pair: Pair) -> str:
    """The tweet with both sides of the relation marked by E1 and E2 chips."""
    names, looks = ("E1", "E2"), (HEAD_LOOK, TAIL_LOOK)
    spans, gaps, parts = (pair.head, pair.tail), spaces_before(post), []
    for run in runs(len(post.tokens), spans):
        words = _words_html(post, gaps, run)
        if run.members:
            chips = [_chip(names[i], looks[i].colour) for i in run.members if spans[i][0] == run.start]
            words = _span_html(looks[run.members[-1]], "".join(chips), words, "")
        parts.append(gaps[run.start] + words)
    return _tweet_html(parts)


# --- results -----------------------------------------------------------------------------------


def asked_html(question: Question, looks: Mapping[str, Look]) -> str:
    """The tweet with the pair that is asked about, or plain."""
    pairs = question.ask.relations
    if isinstance(pairs, tuple) and len(pairs) == 1:
        return pair_html(question.post, pairs[0])
    return entities_html(question.post, (), looks)


def relation_name(label: str, none: str) -> str:
    """A relation in words; "no relation" for the dataset's label of a pair without one."""
    return "no relation" if label == none else readable(label)


def bars_html(relations: Sequence[Relation], none: str) -> str:
    """The likeliest relations as bars with printed percentages, and what is left for the others."""
    rows = []
    for relation in relations[:TOP_RELATIONS]:
        width = 100 * min(max(relation.score or 0.0, 0.0), 1.0)
        name = safe(relation_name(relation.label, none))
        rows.append(
            f"<li><span><b>{name}</b> <code>{safe(relation.label)}</code></span>"
            f'<span class="mm-number">{percent(relation.score)}</span>'
            f'<span class="mm-track"><span class="mm-fill" style="width:{width:.1f}%"></span></span></li>'
        )
    shown = sum(r.score or 0.0 for r in relations[:TOP_RELATIONS])
    rest = f'<p class="mm-quiet">All other relations together: {percent(max(0.0, 1 - shown))}</p>'
    return f'<ol class="mm-bars">{"".join(rows)}</ol>{rest if rows else ""}'


def _footer_html(prediction: Prediction) -> str:
    photo = "read with the photo" if prediction.image_used else "read without a photo"
    if prediction.photo_words_used:
        photo += " and what it says"
    by = f"{photo} by <code>{safe(prediction.checkpoint)}</code>"
    if prediction.post.photo_words and not prediction.photo_words_used:
        by += ", which does not read what photos say"
    return f'<p class="mm-quiet">{by}</p>'


def _headline(prediction: Prediction) -> str:
    count = len(prediction.entities)
    return "No entity found" if not count else f"{count} {'entity' if count == 1 else 'entities'}"


def _pair_headline(post: Post, pair: Pair, best: Relation, none: str) -> str:
    head, tail = (safe(words_of(post, span)) for span in (pair.head, pair.tail))
    name = "no relation with" if best.label == none else safe(readable(best.label))
    return f"<bdi>{head}</bdi> <em>{name}</em> <bdi>{tail}</bdi> · {percent(best.score)}"


def result_html(prediction: Prediction, dataset: Dataset) -> str:
    """The answer: warnings, headline, the tweet with its spans, for a relation the bars, and who answered."""
    post, none = prediction.post, dataset.none
    parts = []
    if prediction.ask.entities:
        tweet = entities_html(post, prediction.entities, looks_of(dataset))
        parts.append(f"<h3>{_headline(prediction)}</h3>{tweet}")
    for pair in dict.fromkeys(relation.pair for relation in prediction.relations):
        own = [relation for relation in prediction.relations if relation.pair == pair]
        headline = _pair_headline(post, pair, own[0], none)
        parts.append(f"<h3>{headline}</h3>{pair_html(post, pair)}{bars_html(own, none)}")
    return (
        f"{notes_html(prediction.warnings)}"
        f'<section class="mm-result" role="status">{"".join(parts) or "<h3>No relation found</h3>"}'
        f"{_footer_html(prediction)}</section>"
    )


def empty_html(text: str) -> str:
    """What stands where a result will be."""
    return f'<section class="mm-result mm-empty"><p>{safe(text)}</p></section>'


def notes_html(warnings: Sequence[str]) -> str:
    """Warnings in words; nothing where there are none."""
    items = "".join(f"<li>{safe(sentence(w))}</li>" for w in warnings)
    return f'<ul class="mm-notes" aria-live="polite">{items}</ul>' if items else ""


def error_html(message: str) -> str:
    """Why there is no answer, announced to screen readers at once."""
    return f'<p class="mm-error" role="alert">{safe(sentence(message))}</p>'
