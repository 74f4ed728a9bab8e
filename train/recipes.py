"""The chosen settings of each stage. Each states the command that runs it and what to expect.

Lite trains in two stages: a *trunk* (text encoder with its head, no photos), then a *cell* (projections,
fusion, head) on the trunk's cached states, so that fusions share a trunk and a photo can only add to it.
"""

from dataclasses import replace

from train.config import Recipe

#: Word embeddings stay as pretrained: they hold half of MiniLM's weights, and a step is a third shorter.
TRUNK = Recipe(
    batch_size=16,
    eval_batch_size=64,
    text_lr=2e-4,
    embedding_lr=0.0,
    image_lr=0.0,
    fusion_lr=0.0,
    head_lr=1e-3,
    image_dropout=1.0,
)

CELL = Recipe(
    epochs=6,
    batch_size=16,
    eval_batch_size=64,
    text_lr=0.0,
    embedding_lr=0.0,
    image_lr=0.0,
    fusion_lr=3e-4,
    head_lr=1e-4,
    views=3,
    patience=3,
)

#: Everything at once, photos and all: --end-to-end.
WHOLE = replace(TRUNK, fusion_lr=1e-3, image_dropout=0.15)

RECIPES: dict[tuple[str, str, str], Recipe] = {
    # python -m train run --dataset twitter2015 --trunk-only --set epochs=5 --set members=1 --data DIR
    # python -m train run --dataset twitter2017 --fusion film --from <that trunk's folder> --data DIR
    # Validation entity F1 of one member: 86.0 from the Twitter2015 trunk, 84.7 from the base.
    ("lite", "ner", "trunk"): replace(TRUNK, epochs=7, members=3),
    # python -m train run --dataset mnre --fusion film --from <the twitter2017 film cell> --data DIR
    # Validation micro-F1 58.6. An encoder that knows entity types learns relations of typed pairs sooner:
    # 47.9 after one epoch, where from the base (batch 32, rate 3e-4) it was 39.5, and 55.2 at the end.
    ("lite", "re", "trunk"): replace(TRUNK, epochs=5),
    ("lite", "ner", "cell"): CELL,
    ("lite", "re", "cell"): replace(CELL, batch_size=32),
    ("lite", "ner", "whole"): replace(WHOLE, epochs=7),
    ("lite", "re", "whole"): replace(WHOLE, epochs=5),
}
