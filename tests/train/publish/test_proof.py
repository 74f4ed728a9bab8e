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
