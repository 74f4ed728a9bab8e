"""One post through several cells at once: all fusions of a model, or all models with a fusion.

A cell's encoders depend on its trunk alone, so cells on one trunk share one encoder pass, which is nearly
all of a prediction's work: six fusions cost little more than one (``python -m tests.bench.compare``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from mmdemo.answer import pipeline
from mmdemo.answer.pipeline import Cell
from mmdemo.cells import gpu
from mmdemo.cells.zoo import LoadedCell, trunk_hash
from mmdemo.models.batch import Batch, Example, collate
from mmdemo.models.config import MODELS, fusions_of
from mmdemo.photo.image import open_image
from mmdemo.types import Compared, Comparison, InputError, Post, quoted


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One trunk's encoder pass over the post: what its fusions start from, and what it took."""

    number: int
    example: Example
    batch: Batch
    states_BLD: Tensor
    regions_BRD: Tensor | None
    milliseconds: float


#: What stands side by side.
ACROSS = ("fusions", "models")
#: The baseline has one name with two encoders and another in a joint model: they stand in one row.
BASELINES = ("concat", "native")


def side_by_side(
    dataset: str, *, across: str, model: str, fusion: str, preset: str = "lite"
) -> tuple[Cell, ...]:
    """The cells of a comparison, ready or not: all fusions of ``model``, or all models with ``fusion``.

    Raises:
        InputError: an unknown name.
    """
    if across not in ACROSS:
        raise InputError(f"{quoted(across)} cannot be compared; choose {' or '.join(ACROSS)}")
    if across == "fusions":
        row = [(model, name) for name in (fusions_of(model) if model in MODELS else ())]
    else:
        wanted = BASELINES if fusion in BASELINES else (fusion,)
        row = [(m, name) for m in MODELS for name in fusions_of(m) if name in wanted]
    # Where the row is empty, `find_cell` says what is unknown.
    return tuple(pipeline.find_cell(dataset, m, name, preset) for m, name in row or [(model, fusion)])


@gpu.on_gpu
def compare(post: Post, cells: Sequence[Cell]) -> Comparison:
    """The post's answer by each cell, exactly as `pipeline.predict` gives it.

    Raises:
        InputError: no cell, cells of several datasets (their labels differ), or as `pipeline.predict`.
    """
    if not cells:
        raise InputError("choose at least one checkpoint to compare")
    if len(datasets := dict.fromkeys(cell.dataset for cell in cells)) > 1:
        raise InputError(f"a comparison is of one dataset, not of {' and '.join(datasets)}")
    opened = post if post.image is None else replace(post, image=open_image(post.image))
    passes: dict[object, Pass] = {}
    answers = []
    for cell in cells:
        loaded = pipeline.load(cell)
        key = (trunk_hash(loaded.card), loaded.card.config.clean_text)
        if key not in passes:
            passes[key] = _encode(opened, loaded, len(passes))
        answers.append(_answer(opened, cell, loaded, passes[key]))
    return Comparison(post=opened, answers=tuple(answers))


def _encode(post: Post, loaded: LoadedCell, number: int) -> Pass:
    started = perf_counter()
    (example,) = pipeline.encode([post], loaded)
    batch = collate([example]).to(loaded.device)
    with torch.inference_mode():
        states_BLD, regions_BRD = loaded.model.encode(batch)
    return Pass(
        number=number,
        example=example,
        batch=batch,
        states_BLD=states_BLD,
        regions_BRD=regions_BRD,
        milliseconds=_since(started),
    )


def _answer(post: Post, cell: Cell, loaded: LoadedCell, encoded: Pass) -> Compared:
    started = perf_counter()
    with torch.inference_mode():
        output = loaded.model.fuse(encoded.states_BLD, encoded.regions_BRD, encoded.batch)
    (prediction,) = pipeline.answers_of([post], cell, loaded, [encoded.example], output)
    return Compared(
        prediction=prediction,
        pass_number=encoded.number,
        encode_ms=encoded.milliseconds,
        fuse_ms=_since(started),
    )


def _since(started: float) -> float:
    return 1000 * (perf_counter() - started)
