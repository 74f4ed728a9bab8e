"""Every shipped cell answers as it always has: scores recorded when the zoo was committed."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer.predict import predict
from mmdemo.cells.locate import SHIPPED, pickable_cells
from mmdemo.posts.question import read_post

#: By cell: what it said of two sentences of its task, the first with `PHOTO`.
RECORDED = json.loads(Path(__file__).with_name("recorded_answers.json").read_text(encoding="utf-8"))
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
