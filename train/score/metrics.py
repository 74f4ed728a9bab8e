"""Scores the report's way and the field's way, side by side (SPEC §6). All values are fractions."""

from collections.abc import Sequence
from typing import Any

from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as default_scores
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

Scores = dict[str, Any]


def _triple(values: Sequence[Any]) -> Scores:
    precision, recall, f1 = (float(v) for v in values[:3])
    return {"precision": precision, "recall": recall, "f1": f1}


def score_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Scores:
    """NER: ``token`` (O counted, weighted: the report's figures), ``entity`` (span and type: the field's,
    seqeval's default reading), ``entity_strict`` (IOB2: orphan I- tags are no entities), ``per_class``.
    """
    flat_gold = [tag for tags in gold for tag in tags]
    flat_predicted = [tag for tags in predicted for tag in tags]
    token = _triple(
        precision_recall_fscore_support(flat_gold, flat_predicted, average="weighted", zero_division=0)
    )
    types = sorted({tag[2:] for tag in flat_gold + flat_predicted if tag != "O"})
    by_class = default_scores(gold, predicted, average=None, zero_division=0)
    return {
        "token": {"accuracy": float(accuracy_score(flat_gold, flat_predicted)), **token},
        "entity": _triple(default_scores(gold, predicted, average="micro", zero_division=0)),
        "entity_strict": _triple(
            strict_scores(gold, predicted, average="micro", scheme=IOB2, zero_division=0)
        ),
        "per_class": {
            kind: {**_triple(row), "support": int(row[3])}
            for kind, row in zip(types, zip(*by_class, strict=True), strict=True)
        },
    }


def score_relations(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> Scores:
    """RE: accuracy; micro, macro and weighted over all ``labels``; ``micro_without_none`` (the field's).

    ``macro`` averages all classes, also those without a row in this split (they count as 0);
    ``macro_present`` only those that gold or prediction names.
    """

    def average(how: str, over: Sequence[str]) -> Scores:
        return _triple(
            precision_recall_fscore_support(gold, predicted, labels=list(over), average=how, zero_division=0)
        )

    by_class = precision_recall_fscore_support(
        gold, predicted, labels=list(labels), average=None, zero_division=0
    )
    present = sorted({*gold, *predicted})
    return {
        "accuracy": float(accuracy_score(gold, predicted)),
        "micro": average("micro", labels),
        "macro": average("macro", labels),
        "macro_present": average("macro", present),
        "weighted": average("weighted", labels),
        "micro_without_none": average("micro", [label for label in labels if label != "None"]),
        "per_class": {
            label: {**_triple(row), "support": int(row[3])}
            for label, row in zip(labels, zip(*by_class, strict=True), strict=True)
        },
    }


def headline(scores: Scores) -> float:
    """The figure that early stopping and model choice use: entity F1, or micro-F1 without None."""
    return scores["entity"]["f1"] if "entity" in scores else scores["micro_without_none"]["f1"]
