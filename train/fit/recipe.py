"""What determines a training run, as frozen records."""

from dataclasses import asdict, dataclass
from typing import Any

from mmdemo.types import InputError
from train.data.batches import Drops, Mix

COUNTS = ("epochs", "batch_size", "eval_batch_size", "repeats", "parts")
DROPS = ("image_dropout", "drop_photo", "drop_words", "drop_some_words")
SHARES = ("warmup", "dropout", "label_smoothing", *DROPS, "layer_decay", "ema", "share", "distill")

#: Settings that came later: at their defaults they change nothing, and what was made before still counts.
LATER = (
    "repeats",
    "unrelated",
    "valid_posts",
    "parts",
    "align",
    "r_drop",
    "distill",
    "frozen_input",
    *DROPS[1:],
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one training stage (SPEC §5); `train/recipes.py` holds the chosen ones.

    Rates are peaks of a schedule that warms up linearly over ``warmup`` of the steps and falls to 0 by a
    cosine. A rate of 0 freezes its part. ``views`` counts the cached random variants (dropout for text,
    augmentation for photos) that a stage on cached states takes in turn, an epoch each; 0 means that
    the encoders run live. ``members`` trunks are trained from one start in different orders, and averaged
    (`train.fit.soup`). ``frozen_layers`` are the lowest of the text encoder's ``layers``; with
    ``frozen_input`` what enters below them is frozen too, and no step goes back through them.
    ``image_dropout`` is the chance that training hides a post's photo with all that it says; of models that
    read a photo's words, ``drop_photo`` hides the picture alone, ``drop_words`` its words alone, and
    ``drop_some_words`` each of the words (`train.data.batches.Drops`).
    ``share`` is the part of the training posts that a trunk's stage sees, drawn by the seed.

    Of a dataset with both tasks, pairs far outnumber posts, and most have no relation. An epoch takes each
    question about entities ``repeats`` times, and for each pair with a relation ``unrelated`` pairs without
    one, drawn anew (0: all of them). ``valid_posts`` is how many posts of validation, drawn by the seed, are
    scored after each epoch (0: all); the finished cell is scored on all.

    An epoch of a row takes one of ``parts`` equal parts of the posts, each pass over all of them drawn anew:
    a kill costs no more than that. ``epochs`` counts parts, then.

    Of a row, whose cells train together (`train.fit.rows.model`), ``align`` is the weight of the divergence
    that draws the text alone to the fused answers, and ``r_drop`` that of two passes of the same posts under
    other dropout; at 0 neither is computed. ``distill`` is the teacher's part of the loss where a row has one
    (`train.cells.teacher`), and gold has the rest. ``views`` are there augmented photos alone, 0 the photos
    as they are: its encoders run live.
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
    drop_photo: float = 0.0
    drop_words: float = 0.0
    drop_some_words: float = 0.0
    layer_decay: float = 1.0
    layers: int = 6
    frozen_layers: int = 0
    frozen_input: bool = False
    share: float = 1.0
    repeats: int = 1
    unrelated: float = 0.0
    valid_posts: int = 0
    parts: int = 1
    align: float = 0.0
    r_drop: float = 0.0
    distill: float = 0.5
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

    @property
    def facts(self) -> dict[str, Any]:
        """What decides a result: the settings without those of `LATER` that are at their defaults."""
        defaults = asdict(Recipe())
        return {k: v for k, v in asdict(self).items() if k not in LATER or v != defaults[k]}

    @property
    def mix(self) -> Mix:
        """What an epoch takes of the questions."""
        return Mix(repeats=self.repeats, unrelated=self.unrelated)

    @property
    def drops(self) -> Drops:
        """What training hides of photos."""
        return Drops(
            all=self.image_dropout,
            photo=self.drop_photo,
            words=self.drop_words,
            some_words=self.drop_some_words,
        )
