"""Every shipped cell answers as it always has: scores recorded when the zoo was committed.

Where a cell is meant to answer otherwise: python -m tests.cells.test_answers_stay 'lite/mnre/*'
"""

import json
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer.predict import predict
from mmdemo.cells.locate import SHIPPED, Cell, pickable_cells
from mmdemo.posts.question import read_post

#: By cell: what it said of two sentences of its task, the first with `PHOTO`.
FILE = Path(__file__).with_name("recorded_answers.json")
RECORDED = json.loads(FILE.read_text(encoding="utf-8"))
TEXTS = {
    "entities": (
        "Kevin Durant enters Oracle Arena in Oakland #NBA",
        "Ann isn't at AT & T , says Sean O ' Tovan",
    ),
    "relations": (
        "[E1] Oakland [/E1] , [E2] California [/E2] tonight",
        "[E2] NASA [/E2] honours pilot [E1] Eileen Collins [/E1] #space",
    ),
}
CELLS = [cell for cell in pickable_cells(SHIPPED) if cell.problem is None]


def slope() -> Image.Image:
    """A photo of three slopes of colour, the same on every machine."""
    down, across = np.linspace(0, 255, 48, dtype=np.uint8), np.linspace(255, 0, 64, dtype=np.uint8)
    planes = [np.tile(down[:, None], (1, 64)), np.tile(across, (48, 1)), np.full((48, 64), 90, np.uint8)]
    return Image.fromarray(np.stack(planes, -1))


def test_every_shipped_cell_was_recorded():
    assert {cell.name for cell in CELLS} == set(RECORDED)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_scores_are_those_recorded(cell, monkeypatch):
    monkeypatch.delenv("MMDEMO_CHECKPOINTS", raising=False)
    (task,) = cell.dataset.tasks
    for text, photo, old in zip(TEXTS[task], (slope(), None), RECORDED[cell.name], strict=True):
        answer = predict(read_post(text, cell.dataset, photo), cell)
        assert [[e.start, e.end, e.label] for e in answer.entities] == [row[:3] for row in old["entities"]]
        assert [r.label for r in answer.relations] == [row[0] for row in old["relations"]]
        scores = [one.score for one in (*answer.entities, *answer.relations)]
        assert scores == pytest.approx([row[-1] for row in (*old["entities"], *old["relations"])], abs=1e-5)
        assert answer.entropy == pytest.approx(old["entropy"], abs=1e-4)


def said(cell: Cell) -> list[dict[str, Any]]:
    """What a cell says of the two sentences of its task, as it is recorded."""
    (task,) = cell.dataset.tasks
    answers = [
        predict(read_post(text, cell.dataset, photo), cell)
        for text, photo in zip(TEXTS[task], (slope(), None), strict=True)
    ]
    return [
        {
            "entities": [[e.start, e.end, e.label, round(e.score or 0, 7)] for e in answer.entities],
            "relations": [[r.label, round(r.score or 0, 7)] for r in answer.relations],
            "entropy": round(answer.entropy or 0, 7),
        }
        for answer in answers
    ]


if __name__ == "__main__":
    kept = {cell.name: RECORDED.get(cell.name) for cell in CELLS}
    kept |= {cell.name: said(cell) for cell in CELLS if fnmatch(cell.name, sys.argv[1])}
    lines = (f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in kept.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
