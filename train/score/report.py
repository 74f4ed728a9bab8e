"""Scores as a table for a terminal."""

from typing import Any

from train.score.evaluate import CONDITIONS

NER_ROWS = (
    ("entity F1 (field)", "entity", "f1"),
    ("entity F1, strict", "entity_strict", "f1"),
    ("token accuracy (report)", "token", "accuracy"),
    ("token weighted F1 (report)", "token", "f1"),
)
RE_ROWS = (
    ("micro-F1 without None (field)", "micro_without_none", "f1"),
    ("accuracy (report)", None, "accuracy"),
    ("weighted F1 (report)", "weighted", "f1"),
    ("macro F1, all 23 classes", "macro", "f1"),
    ("macro F1, classes present", "macro_present", "f1"),
)


def render(scores: dict[str, Any]) -> str:
    """A table of figures by photo condition, then each class with its own photos."""
    conditions = [c for c in CONDITIONS if c in scores]
    rows = NER_ROWS if "entity" in scores[conditions[0]] else RE_ROWS
    lines = [
        f"{scores['posts']} posts, {scores['with_photo']} with a photo ({scores.get('photos', 'photos')})",
        f"{'':32}" + "".join(f"{c:>10}" for c in conditions),
    ]
    for title, part, key in rows:
        values = [(scores[c][part] if part else scores[c])[key] for c in conditions]
        lines.append(f"{title:32}" + "".join(f"{100 * v:10.2f}" for v in values))
    lines += ["", f"{'class':32}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>10}"]
    for name, row in scores[conditions[0]]["per_class"].items():
        cells = "".join(f"{100 * row[k]:10.2f}" for k in ("precision", "recall", "f1"))
        lines.append(f"{name:32}{cells}{row['support']:10}")
    return "\n".join(lines)
