"""Names for people of what has a short name in files. Pure."""

from mmdemo.models.config import DATASETS, FUSIONS, MODELS


def fusion_title(fusion: str) -> str:
    """``cross-attention`` -> "Cross-attention"."""
    return FUSIONS[fusion].partition(":")[0] if fusion in FUSIONS else fusion


def model_title(model: str) -> str:
    """``roberta-resnet50`` -> "RoBERTa + ResNet50"."""
    return MODELS[model].title if model in MODELS else model


def dataset_title(dataset: str) -> str:
    """``twitter2017`` -> "Twitter2017"."""
    return DATASETS[dataset].title.partition(" · ")[0] if dataset in DATASETS else dataset


def own_titles(checkpoints: list[str]) -> list[str]:
    """What tells checkpoints (preset/dataset/model/fusion) apart: fusions of one model, else models."""
    parts = [name.split("/") for name in checkpoints]
    if len({part[2] for part in parts}) == 1:
        return [fusion_title(part[3]) for part in parts]
    return [model_title(part[2]) for part in parts]
