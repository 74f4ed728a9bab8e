"""Names for people of what has a short name in files. Pure."""

from collections.abc import Sequence

from mmdemo.cells.locate import Cell
from mmdemo.cells.name import CellName
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import FUSIONS, MODELS

#: What a dataset's models find, in a picker.
FINDS = {
    ("entities",): "entities",
    ("relations",): "relation of a marked pair",
    ("entities", "relations"): "entities and relations",
}


def fusion_title(fusion: str) -> str:
    """``cross-attention`` -> "Cross-attention"."""
    return FUSIONS[fusion].title if fusion in FUSIONS else fusion


def model_title(model: str) -> str:
    """``roberta-resnet50`` -> "RoBERTa + ResNet50"."""
    return MODELS[model].title if model in MODELS else model


def sized_title(cell: Cell | CellName) -> str:
    """The model's title, with the preset of all but the usual one: "RoBERTa + ResNet50 (base)"."""
    title = model_title(cell.model)
    return title if cell.preset == "lite" else f"{title} ({cell.preset})"


def picker_title(dataset: Dataset) -> str:
    """The dataset's title and what its models find: "Tweets · entities"."""
    return f"{dataset.title} · {FINDS[tuple(dataset.tasks)]}"


def own_titles(checkpoints: Sequence[str]) -> list[str]:
    """What tells checkpoints (preset/dataset/model/fusion) apart: fusions of one model, else models."""
    names = [CellName.parse(name) for name in checkpoints]
    if len({name.model for name in names}) == 1:
        return [fusion_title(name.fusion) for name in names]
    several = len({name.preset for name in names}) > 1
    return [sized_title(name) if several else model_title(name.model) for name in names]
