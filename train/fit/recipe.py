"""What determines a training run, as frozen records."""

from dataclasses import dataclass

from mmdemo.types import InputError

COUNTS = ("epochs", "batch_size", "eval_batch_size")
SHARES = ("warmup", "dropout", "label_smoothing", "image_dropout", "layer_decay", "ema", "share")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one training stage (SPEC §5); `train/recipes.py` holds the chosen ones.

    Rates are peaks of a schedule that warms up linearly over ``warmup`` of the steps and falls to 0 by a
    cosine. A rate of 0 freezes its part. ``views`` counts the cached random variants (dropout for text,
    augmentation for photos) that a stage on cached states takes in turn, an epoch each; 0 means that
    the encoders run live. ``members`` trunks are trained from one start in different orders, and averaged
    (`train.fit.soup`). ``frozen_layers`` are the lowest of the text encoder's ``layers``.
    ``share`` is the part of the training posts that a trunk's stage sees, drawn by the seed.
    """

    epochs: int = 5
    batch_size: int = 8
    eval_batch_size: int = 12
    text_lr: float = 2e-5
    embedding_lr: float = 2e-5
    image_lr: float = 1e-4
    fusion_lr: float = 3e-5
    head_lr: float = 3e-5
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    patience: int = 2
    dropout: float = 0.1
    label_smoothing: float = 0.0
    image_dropout: float = 0.15
    layer_decay: float = 1.0
    layers: int = 6
    frozen_layers: int = 0
    share: float = 1.0
    ema: float = 0.0
    members: int = 1
    views: int = 0
    seed: int = 1337

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < float("inf"):
                raise InputError(f"{name} is {value}; it must be a number that is not negative")
            if name in COUNTS and value < 1:
                raise InputError(f"{name} is {value}; it must be at least 1")
            if name in SHARES and value > 1:
                raise InputError(f"{name} is {value}; it must lie from 0 to 1")
