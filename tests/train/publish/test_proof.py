"""The table that says whether photos help, of cells that read their words."""

from typing import Any

from train.publish.proof import proof
from train.publish.scored import Scored


def cell(fusion: str, **stated: Any) -> Scored:
    test = {"photo": {"micro_without_none": {"f1": 0.64}, "accuracy": 0.7}}
    metrics = {"splits": {"test": test}, **stated}
    return Scored(name=f"lite/mnre/roberta-resnet50/{fusion}", metrics=metrics)


def found(change: float, low: float, high: float, **more: float) -> dict[str, float]:
    return {"change": change, "low": low, "high": high, **more}


def test_a_cell_that_reads_no_words_has_no_line():
    assert proof([cell("film"), cell("concat", photo_effect={"against": {"none": found(0, 0, 0)}})]) == []


def test_intervals_that_leave_zero_out_are_bold_and_the_fusions_furthest_apart_are_named():
    against = {
        "none": found(0.01, -0.002, 0.02, changed=9, to_right=5, to_wrong=3),
        "picture": found(0.0, -0.01, 0.01),
        "shuffled": found(0.021, 0.01, 0.03),
    }
    alone = found(0.004, -0.01, 0.02, p_holm=0.4)
    film = cell(
        "film",
        photo_effect={"against": against},
        row_effect={"against_text_only": alone, "differs": {"concat": 0.02, "text-only": 0.11}},
    )
    lines = proof([film])
    (line,) = [line for line in lines if line.startswith("| film")]
    assert line == (
        "| film (commit not stated) | 64.00 | **+2.10 (+1.00 … +3.00)** | - | +0.00 (-1.00 … +1.00) "
        "| +1.00 (-0.20 … +2.00) | +0.40 (-1.00 … +2.00) | 0.400 | 9 | 5 | 3 |"
    )
    assert lines[-1] == (
        "Two cells of this row answer 2.00 % (concat and film) to 11.00 % (film and text-only) of the test "
        "questions differently."
    )


def test_kinds_of_posts_are_told_of_the_fusion_that_validation_prefers():
    def told(fusion: str, valid: float, low: float) -> Scored:
        kind = {"name": "over 20 words", "posts": 126, "f1": 0.62, **found(0.004, low, 0.01)}
        kind["shuffled"] = found(0.02, 0.01, 0.03)
        effect = {"against": {"picture": found(0, 0, 0)}, "slices": [kind]}
        one = cell(fusion, photo_effect=effect)
        one.metrics["splits"]["valid"] = {"photo": {"micro_without_none": {"f1": valid}}}
        return one

    lines = proof([told("film", 0.6, -0.001), told("concat", 0.7, 0.001)])
    assert "By kind of post, concat (kinds overlap):" in lines
    figures = "62.00 | **+2.00 (+1.00 … +3.00)** | **+0.40 (+0.10 … +1.00)**"
    assert lines[-1] == f"| over 20 words | 126 | {figures} |"
    assert sum(line.startswith("| over 20 words") for line in lines) == 1
