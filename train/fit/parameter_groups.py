"""Which parameters train, at which rate, with or without weight decay (SPEC §5)."""

import re
from typing import Any

from torch import nn

from mmdemo.cells.pretrained_base import DRAWN_PARTS
from train.fit.recipe import Recipe

#: What enters the text encoder below its layers, or in all of them: while one of these trains, the gradient
#: goes through every layer, and frozen ones below save hardly any time.
BELOW_LAYERS = (
    "text_encoder.bert.embeddings.",
    "text_encoder.feature_embedding.",
    "text_encoder.region_source.",
    "text_encoder.bert.encoder.relative_attention_bias.",
)


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """AdamW groups by part. A part whose rate is 0 is frozen and left out.

    No weight decay on biases, norms and scales (one axis), nor on FiLM's γ and β generators: decay would
    pull γ towards 0, away from its identity.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for full_name, parameter in model.named_parameters():
        name = re.sub(r"^cells\.[^.]+\.", "", full_name)  # of a row's cell as of one alone
        rate = _rate(name, recipe)
        parameter.requires_grad_(rate > 0)
        if rate > 0:
            spared = parameter.ndim < 2 or name.startswith("fusion.generator_")
            groups.setdefault((rate, 0.0 if spared else recipe.weight_decay), []).append(parameter)
    return [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()]


def _rate(name: str, recipe: Recipe) -> float:
    if recipe.frozen_input and name.startswith(BELOW_LAYERS):
        return 0.0
    if name.startswith(("text_encoder.feature_embedding", *DRAWN_PARTS)):
        return recipe.head_lr if recipe.text_lr else 0.0
    if 0 <= _layer(name) < recipe.frozen_layers:
        return 0.0
    if name.startswith("text_encoder.bert.embeddings"):
        return recipe.embedding_lr
    if name.startswith("text_encoder."):
        above = recipe.layers - 1 - _layer(name) if _layer(name) >= 0 else 0
        return recipe.text_lr * recipe.layer_decay**above
    if name.startswith("image_encoder."):
        return recipe.image_lr
    if name.startswith(("fusion.", "image_projection.", "word_projection.")):
        return recipe.fusion_lr
    return recipe.head_lr


def _layer(name: str) -> int:
    """Which layer of the text encoder a parameter belongs to; -1 for none."""
    found = re.match(r"text_encoder\.bert\.encoder\.layer\.(\d+)\.", name)
    return int(found[1]) if found else -1
