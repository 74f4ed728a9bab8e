"""One post through several cells at once: all fusions of a model, or all models with a fusion.

A cell's encoders depend on its trunk alone, so cells on one trunk share one encoder pass, which is nearly
all of a prediction's work: six fusions cost little more than one (``python -m tests.bench.compare``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from mmdemo.answer.predict import Part, answers_of, assemble, batches_of, read_parts
from mmdemo.cells import catalogue, gpu
from mmdemo.cells.locate import Cell, same_labels
from mmdemo.cells.zoo import LoadedCell, trunk_hash
from mmdemo.datasets.schema import Dataset
from mmdemo.models.batch import collate
from mmdemo.models.encoders.table import MODELS, PRESETS, models_of
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.models.seen import States, encoded, fused
from mmdemo.photo.opening import open_image
from mmdemo.types import Compared, Comparison, InputError, Question, quoted


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One trunk's encoder pass over the question: what its fusions start from, and what it took."""

    number: int
    batches: tuple[tuple[list[Part], States], ...]
    milliseconds: float


#: What stands side by side.
ACROSS = ("fusions", "models")


def side_by_side(
    dataset: Dataset | str, *, across: str, model: str, fusion: str, preset: str = "lite"
) -> tuple[Cell, ...]:
    """The cells of a comparison, ready or not: all fusions of ``model``, or all models with ``fusion``.

    Of the fusions that no zoo is expected to have, those of which there is a cell. The baseline has one name
    with two encoders and another in a joint model: they stand in one row. Models that a preset does not have
    stand beside its own as lite has them.

    Raises:
        InputError: an unknown name.
    """
    if across not in ACROSS:
        raise InputError(f"{quoted(across)} cannot be compared; choose {' or '.join(ACROSS)}")
    if isinstance(dataset, str):
        dataset = catalogue.dataset_named(dataset)
    if across == "fusions":
        row = [(model, name, preset) for name in _fusions(model, dataset, preset)]
    else:
        baselines = [one.name for one in FUSIONS.values() if one.baseline]
        wanted = baselines if fusion in baselines else [fusion]
        partial = preset in PRESETS and not PRESETS[preset].whole
        sizes = {m: "lite" if partial and m not in models_of(preset) else preset for m in MODELS}
        row = [
            (m, name, size)
            for m, size in sizes.items()
            for name in _fusions(m, dataset, size)
            if name in wanted
        ]
    # Where the row is empty, `find_cell` says what is unknown.
    row = row or [(model, fusion, preset)]
    return tuple(catalogue.find_cell(dataset, m, name, size) for m, name, size in row)


def _fusions(model: str, dataset: Dataset, preset: str) -> tuple[str, ...]:
    return catalogue.pickable(model, dataset.name, preset) if model in MODELS else ()


@gpu.on_gpu
def compare(question: Question, cells: Sequence[Cell]) -> Comparison:
    """The question's answer by each cell, exactly as `mmdemo.answer.predict.predict` gives it.

    Raises:
        InputError: no cell, cells of several datasets (their labels differ), or as `predict`.
    """
    if not cells:
        raise InputError("choose at least one checkpoint to compare")
    if question.ask.relations == "all":
        raise InputError("name the pairs whose relations to compare: each checkpoint finds its own entities")
    if len(names := dict.fromkeys(cell.dataset.name for cell in cells)) > 1:
        raise InputError(f"a comparison is of one dataset, not of {' and '.join(names)}")
    if not all(same_labels(cells[0].dataset, cell.dataset) for cell in cells):
        raise InputError(f"these checkpoints are of two datasets that share the name {cells[0].dataset.name}")
    post = question.post
    if post.image is not None:
        question = replace(question, post=replace(post, image=open_image(post.image)))
    passes: dict[object, Pass] = {}
    answers = []
    for cell in cells:
        loaded = catalogue.load(cell)
        key = (trunk_hash(loaded.card), loaded.card.config.encoder_input)
        if key not in passes:
            passes[key] = _encode(question, loaded, len(passes))
        answers.append(_answer(question, cell, loaded, passes[key]))
    return Comparison(post=question.post, answers=tuple(answers))


def _encode(question: Question, loaded: LoadedCell, number: int) -> Pass:
    started = perf_counter()
    batches = tuple(
        (parts, encoded(loaded.model, collate([part.example for part in parts]).to(loaded.device)))
        for parts in batches_of(read_parts([question], loaded))
    )
    return Pass(number=number, batches=batches, milliseconds=_since(started))


def _answer(question: Question, cell: Cell, loaded: LoadedCell, shared: Pass) -> Compared:
    started = perf_counter()
    found = [
        answer
        for parts, states in shared.batches
        for answer in answers_of(parts, cell, loaded, fused(loaded.model, states).output)
    ]
    (prediction,) = assemble([question], cell, found)
    return Compared(
        prediction=prediction,
        pass_number=shared.number,
        encode_ms=shared.milliseconds,
        fuse_ms=_since(started),
    )


def _since(started: float) -> float:
    return 1000 * (perf_counter() - started)
