"""Scores as a table for a terminal."""

from typing import Any

from mmdemo.measures import figure, shown, tasks_of
from train.score.evaluate import CONDITIONS


def render(scores: dict[str, Any]) -> str:
    """A table of figures by photo condition, then each class with its own photos."""
    conditions = [c for c in CONDITIONS if c in scores]
    by_class = scores[conditions[0]]["per_class"]
    marks = "; ".join(scores.get("marks", ()))
    lines = [
        f"{scores['posts']} posts, {scores['with_photo']} with a photo ({scores.get('photos', 'photos')})",
        *([f"the checkpoint: {marks}"] if marks else []),
        f"{'':32}" + "".join(f"{c:>10}" for c in conditions),
    ]
    for measure in shown("terminal", *tasks_of(scores[conditions[0]])):
        title = measure.terminal.format(classes=len(by_class))
        values = [figure(scores[c], measure.path) for c in conditions]
        lines.append(
            f"{title:32}" + "".join(f"{'-':>10}" if v is None else f"{100 * v:10.2f}" for v in values)
        )
    lines += ["", f"{'class':32}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>10}"]
    for name, row in (by_class | scores[conditions[0]].get("per_relation", {})).items():
        cells = "".join(f"{100 * row[k]:10.2f}" for k in ("precision", "recall", "f1"))
        lines.append(f"{name:32}{cells}{row['support']:10}")
    return "\n".join(lines)
