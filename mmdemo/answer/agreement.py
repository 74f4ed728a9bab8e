"""A comparison as a table of who says what, disagreements first. Pure: records in, records out.

Rows are spans (entities) or, of each pair, candidate relations; columns are the comparison's answers, in its
order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmdemo.answer.answer_json import words_of
from mmdemo.types import Comparison, Entity, Pair, Prediction, Relation, Span

#: all: every column says the same. types: all find the span, but as different things. some: not all find it.
Agreement = Literal["types", "some", "all"]
ORDER: tuple[Agreement, ...] = ("types", "some", "all")
RUNNERS_UP = 3  # relations that no column puts first, shown below those that one does


@dataclass(frozen=True, kw_only=True)
class Say:
    """What one column says in a row: a label with its score, or (label None) that it finds nothing here.

    ``differs`` marks a say that is not the row's most common one; ``target`` is what to give
    `mmdemo.answer.explain.explain` to learn why.
    """

    label: str | None
    score: float | None
    differs: bool
    target: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """A span or a relation, and what each column says of it. ``decides``: it is some column's answer.

    ``span`` is an entity's; ``pair`` a relation's.
    """

    title: str
    span: Span | None
    says: tuple[Say, ...]
    agreement: Agreement
    decides: bool = True
    pair: Pair | None = None

    @property
    def found_by(self) -> int:
        """How many columns find it; for a relation, put it first."""
        return sum(say.label is not None for say in self.says)


def rows_of(comparison: Comparison) -> tuple[Row, ...]:
    """The comparison's rows: first where columns disagree, then in reading order or by score."""
    predictions = [answer.prediction for answer in comparison.answers]
    rows = _span_rows(comparison, predictions)
    pairs = dict.fromkeys(relation.pair for found in predictions for relation in found.relations)
    for pair in pairs:
        ranked = [[r for r in found.relations if r.pair == pair] for found in predictions]
        rows += _relation_rows(pair, ranked)
    return tuple(sorted(rows, key=lambda row: (not row.decides, ORDER.index(row.agreement))))


def _span_rows(comparison: Comparison, predictions: list[Prediction]) -> list[Row]:
    found: dict[Span, dict[int, Entity]] = {}
    for column, prediction in enumerate(predictions):
        for entity in prediction.entities:
            found.setdefault((entity.start, entity.end), {})[column] = entity
    rows = []
    for span, by_column in sorted(found.items()):
        labels = [by_column[c].label if c in by_column else None for c in range(len(predictions))]
        usual = Counter(labels).most_common(1)[0][0]
        says = tuple(
            Say(
                label=label,
                score=by_column[c].score if label else None,
                differs=label != usual,
                target=span[0],
            )
            for c, label in enumerate(labels)
        )
        agreement: Agreement = "all" if len(set(labels)) == 1 else "some" if None in labels else "types"
        rows.append(Row(title=words_of(comparison.post, span), span=span, says=says, agreement=agreement))
    return rows


def _relation_rows(pair: Pair, ranked: Sequence[Sequence[Relation]]) -> list[Row]:
    """Rows of a pair from each column's relations of it, best first; a column may not have asked about it."""
    first = [column[0].label if column else None for column in ranked]
    usual = Counter(first).most_common(1)[0][0]
    scores = [{r.label: r.score or 0.0 for r in column} for column in ranked]
    ranks = [{r.label: rank for rank, r in enumerate(column)} for column in ranked]
    mean = Counter[str]()
    for by_label in scores:
        mean.update({label: score / len(scores) for label, score in by_label.items()})
    given = dict.fromkeys(label for label in first if label is not None)
    answers = sorted(given, key=lambda label: -mean[label])
    others = [label for label, _ in mean.most_common() if label not in answers][:RUNNERS_UP]
    return [
        Row(
            title=label,
            span=None,
            pair=pair,
            says=tuple(
                Say(
                    label=label if first[c] == label else None,
                    score=scores[c].get(label),
                    differs=first[c] == label != usual,
                    target=ranks[c].get(label, 0),
                )
                for c in range(len(ranked))
            ),
            agreement="all" if set(first) == {label} else "some",
            decides=label in first,
        )
        for label in [*answers, *others]
    ]
