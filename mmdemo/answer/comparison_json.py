"""A comparison as JSON values: rows with what each checkpoint says, then each whole answer."""

from typing import Any

from mmdemo.answer.agreement import rows_of
from mmdemo.answer.answer_json import prediction_json, span_json
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.types import Comparison


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison, disagreements first. A row has a span's ``text`` or a ``relation``."""
    names = [answer.prediction.checkpoint for answer in comparison.answers]
    rows = []
    for row in rows_of(comparison):
        says = {
            name: {"label": say.label, "score": say.score} for name, say in zip(names, row.says, strict=True)
        }
        place: dict[str, Any] = span_json(comparison.post, row.span) if row.span else {"relation": row.title}
        if row.pair is not None:
            place["head"] = span_json(comparison.post, row.pair.head)
            place["tail"] = span_json(comparison.post, row.pair.tail)
        agreement = row.agreement if row.decides else "nobody"
        rows.append({**place, "agreement": agreement, "answers": says})
    answers = [
        {
            **prediction_json(answer.prediction),
            "encoder_pass": answer.pass_number,
            "encode_ms": round(answer.encode_ms, 2),
            "fuse_ms": round(answer.fuse_ms, 2),
        }
        for answer in comparison.answers
    ]
    return {
        "rows": rows,
        "answers": answers,
        "photo_words": words_json(comparison.post.photo_words),
        "total_ms": round(comparison.total_ms, 2),
    }
