"""Settings as frozen records, and the closed sets as literal tables."""

from dataclasses import dataclass
from typing import Literal

from mmdemo.types import InputError

Task = Literal["ner", "re"]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset's task, title and the way its authors split words (see `mmdemo.data.text.split_words`)."""

    task: Task
    title: str
    split_hashtags: bool
    split_clitics: bool
    placeholder: str


DATASETS: dict[str, Dataset] = {
    "twitter2015": Dataset(
        task="ner",
        title="Twitter2015 · entities",
        split_hashtags=False,
        split_clitics=False,
        placeholder="RT @user: Kevin Durant enters Oracle Arena wearing a Golden State shirt",
    ),
    "twitter2017": Dataset(
        task="ner",
        title="Twitter2017 · entities",
        split_hashtags=True,
        split_clitics=False,
        placeholder="Kevin Durant enters Oracle Arena wearing a Golden State shirt #NBA",
    ),
    "mnre": Dataset(
        task="re",
        title="MNRE · relation of a marked pair",
        split_hashtags=True,
        split_clitics=True,
        placeholder="[E1] Lauren Bacall [/E1] on the set of [E2] Key Largo [/E2]",
    ),
}

#: Rows of SPEC §3. Values: (text side, image side) as the report names them.
MODELS: dict[str, tuple[str, str]] = {
    "roberta-resnet50": ("RoBERTa-large", "ResNet-50"),
}

#: Columns of SPEC §4 -> what each lets a person see.
FUSIONS: dict[str, str] = {
    "film": "FiLM: γ and β from the text modulate the photo's channels; attention weighs both",
    "concat": "Concatenation: ReLU(W[text; photo] + b), the baseline",
}

FILM_VARIANTS = ("report", "swapped", "residual", "relu")

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Sizes of one preset. ``names`` is what truly runs: cards and the app print it."""

    names: str
    width: int
    max_subtokens: int = 128
    image_size: int = 224
    head_hidden: int = 512


PRESETS: dict[str, Preset] = {
    "lite": Preset(names="MiniLM-L6 + EfficientNet-Lite0, in the RoBERTa + ResNet50 arrangement", width=256),
    "tiny": Preset(names="random 2-layer encoders, for tests", width=32, image_size=64, head_hidden=32),
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that rebuilds a model's shape; stored in a checkpoint's config.json.

    ``clean_text`` is the report's cleaning (`mmdemo.data.text.clean_words`). It is off because validation
    entity F1 fell with it: Twitter2015 73.6 to 72.6, Twitter2017 86.0 to 85.7 (trunks, one seed).
    """

    dataset: str
    model: str = "roberta-resnet50"
    fusion: str = "film"
    preset: str = "lite"
    film_variant: str = "report"
    dropout: float = 0.1
    clean_text: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (
            ("dataset", self.dataset, DATASETS),
            ("model", self.model, MODELS),
            ("fusion", self.fusion, FUSIONS),
            ("preset", self.preset, PRESETS),
            ("film variant", self.film_variant, FILM_VARIANTS),
        ):
            if value not in known:
                raise InputError(f"unknown {name} {value!r}; known: {', '.join(known)}")
        if not isinstance(self.dropout, float | int) or not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {self.dropout!r}; it must be a number from 0 to below 1")
        if not isinstance(self.clean_text, bool):
            raise InputError(f"clean_text is {self.clean_text!r}; it must be true or false")

    @property
    def task(self) -> Task:
        return DATASETS[self.dataset].task

    @property
    def sizes(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def cell(self) -> str:
        """The checkpoint's name: preset/dataset/model/fusion."""
        return f"{self.preset}/{self.dataset}/{self.model}/{self.fusion}"
