"""Settings as frozen records, and the closed sets as literal tables."""

from dataclasses import dataclass
from typing import Literal

from mmdemo.types import InputError, quoted

Task = Literal["ner", "re"]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset's task, title and the way its authors split words (see `mmdemo.posts.text.split_words`)."""

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

Kind = Literal["two encoders", "joint"]


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """A row of SPEC §3: the text and image sides as the report names them, and what ``lite`` runs instead.

    ``full`` is the published model that the preset of that name runs.
    """

    kind: Kind
    title: str
    lite: str
    full: str


MODELS: dict[str, Arrangement] = {
    "roberta-resnet50": Arrangement(
        kind="two encoders",
        title="RoBERTa + ResNet50",
        lite="MiniLM-L6 with letter case + EfficientNet-Lite0, in the RoBERTa + ResNet50 arrangement",
        full="RoBERTa-large + ResNet-50",
    ),
    "bert-resnet50": Arrangement(
        kind="two encoders",
        title="BERT + ResNet50",
        lite="MiniLM-L6 + EfficientNet-Lite0, in the BERT + ResNet50 arrangement",
        full="BERT-base + ResNet-50",
    ),
    "clip-bert": Arrangement(
        kind="two encoders",
        title="CLIP + BERT",
        lite="MiniLM-L6 + EfficientNet-Lite0 aligned with captions, in the CLIP + BERT arrangement",
        full="BERT-base + CLIP ViT-B/32",
    ),
    "blip": Arrangement(
        kind="joint",
        title="BLIP",
        lite="MiniLM-L6 with cross-attention to EfficientNet-Lite0 regions, in the BLIP arrangement",
        full="BLIP's text encoder with cross-attention + its ViT-B/16",
    ),
    "vilt": Arrangement(
        kind="joint",
        title="ViLT",
        lite="one MiniLM-L6 stack over words and EfficientNet-Lite0 regions, in the ViLT arrangement",
        full="ViLT-B/32",
    ),
}

#: Columns of SPEC §4 -> what each lets a person see.
FUSIONS: dict[str, str] = {
    "film": "FiLM: γ and β from the text modulate the photo's channels; attention weighs both",
    "attention": "Attention: weights for text and photo, and image-guided weights over tokens",
    "cross-attention": "Cross-attention: each token looks at the photo's regions, 8 heads",
    "bimodal": "Bimodal: both projected, mixed by one learnt weight α, then a sigmoid layer",
    "concat": "Concatenation: ReLU(W[text; photo] + b), the baseline of two encoders",
    "native": "Native: a joint encoder's own token states, its baseline",
    "hybrid": "Hybrid: FiLM, then concatenation, then attention weights",
    "bilinear": "Bilinear (low rank): text and photo multiplied in a shared space",
    "late": "Late: text and photo each decide; a learnt weight mixes their scores",
}

#: Selectable in training, not part of the zoo.
EXTRA_FUSIONS = ("bilinear", "late")


def fusions_of(model: str) -> tuple[str, ...]:
    """The zoo's fusions of a model: the baseline is ``native`` for a joint one, else ``concat``."""
    other_baseline = "concat" if MODELS[model].kind == "joint" else "native"
    return tuple(f for f in FUSIONS if f not in (*EXTRA_FUSIONS, other_baseline))


FILM_VARIANTS = ("report", "swapped", "residual", "relu")

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Sizes of one preset."""

    width: int
    max_subtokens: int = 128
    image_size: int = 224
    head_hidden: int = 512


PRESETS: dict[str, Preset] = {
    "lite": Preset(width=256),
    "full": Preset(width=1024),
    "tiny": Preset(width=32, image_size=64, head_hidden=32),
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that rebuilds a model's shape; stored in a checkpoint's config.json.

    ``clean_text`` is the report's cleaning (`mmdemo.posts.cleaning`). It is off because validation
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
                raise InputError(f"unknown {name} {quoted(value)}; known: {', '.join(known)}")
        if self.fusion not in (*fusions_of(self.model), *EXTRA_FUSIONS):
            raise InputError(
                f"{self.model} has no fusion {quoted(self.fusion)}; "
                f"it has {', '.join(fusions_of(self.model))}"
            )
        if not isinstance(self.dropout, float | int) or not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {quoted(self.dropout)}; it must be a number from 0 to below 1")
        if not isinstance(self.clean_text, bool):
            raise InputError(f"clean_text is {quoted(self.clean_text)}; it must be true or false")

    @property
    def task(self) -> Task:
        return DATASETS[self.dataset].task

    @property
    def joint(self) -> bool:
        """Whether one encoder reads text and photo together."""
        return MODELS[self.model].kind == "joint"

    @property
    def runs(self) -> str:
        """What truly runs, for cards and the app: never only the name of the report's model."""
        if self.preset == "tiny":
            return "random 2-layer encoders, for tests"
        if self.preset == "full":
            return MODELS[self.model].full
        return MODELS[self.model].lite

    @property
    def sizes(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def cell(self) -> str:
        """The checkpoint's name: preset/dataset/model/fusion."""
        return f"{self.preset}/{self.dataset}/{self.model}/{self.fusion}"
