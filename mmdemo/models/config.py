"""A model's configuration as a frozen record."""

from dataclasses import dataclass

from mmdemo.datasets.schema import Dataset
from mmdemo.models.encoders.table import DEFAULT_MODEL, MODELS, PRESETS, ModelRow, Preset, Sides, models_of
from mmdemo.models.features import Reads
from mmdemo.models.fusion.attention import TOKEN_SCORES
from mmdemo.models.fusion.bimodal import ACTIVATIONS
from mmdemo.models.fusion.film import FILM_VARIANTS
from mmdemo.models.fusion.table import DEFAULT_FUSION, FUSIONS, buildable, fusions_of
from mmdemo.types import InputError, quoted

#: Settings of a fusion's formula -> what was meant before they could be said: `mmdemo.cells.card` reads an
#: older card so, and what was trained then still answers the same.
BEFORE: dict[str, str] = {"bimodal_activation": "sigmoid", "token_score": "additive"}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that rebuilds a model's shape; stored in a checkpoint's config.json.

    ``clean_text`` is the report's cleaning (`mmdemo.posts.cleaning`). It is off because validation
    entity F1 fell with it on both sets of tweets: 73.6 to 72.6 and 86.0 to 85.7 (trunks, one seed).

    ``photo_words``: whether the model reads what a photo says in words, beside its patches. Two encoders read
    it as a text of its own, or with ``words_in_text`` behind the post's text in one stack, where each word
    can look at the other; a joint encoder has its own way, whatever that says.

    ``film_variant``, ``bimodal_activation`` and ``token_score`` choose the formula of the fusions that have
    several (`mmdemo.models.fusion.table`); the others leave them alone.
    """

    dataset: Dataset
    model: str = DEFAULT_MODEL
    fusion: str = DEFAULT_FUSION
    preset: str = "lite"
    film_variant: str = "report"
    dropout: float = 0.1
    clean_text: bool = False
    photo_words: bool = False
    words_in_text: bool = False
    bimodal_activation: str = "relu"
    token_score: str = "dot"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("model", self.model, MODELS),
            ("fusion", self.fusion, FUSIONS),
            ("preset", self.preset, PRESETS),
            ("film variant", self.film_variant, FILM_VARIANTS),
            ("bimodal activation", self.bimodal_activation, ACTIVATIONS),
            ("token score", self.token_score, TOKEN_SCORES),
        ):
            if value not in known:
                raise InputError(f"unknown {name} {quoted(value)}; known: {', '.join(known)}")
        if self.preset not in self.row.sides:
            raise InputError(
                f"the preset {self.preset} has no {self.model}; it has {', '.join(models_of(self.preset))}"
            )
        if self.fusion not in buildable(self.model):
            raise InputError(
                f"{self.model} has no fusion {quoted(self.fusion)}; "
                f"it has {', '.join(fusions_of(self.model))}"
            )
        if not isinstance(self.dropout, float | int) or not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {quoted(self.dropout)}; it must be a number from 0 to below 1")
        for name in ("clean_text", "photo_words", "words_in_text"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is {quoted(getattr(self, name))}; it must be true or false")
        if self.words_in_text and not self.photo_words:
            raise InputError("words_in_text says how a photo's words are read; it needs photo_words too")

    @property
    def row(self) -> ModelRow:
        """All that is known of the model."""
        return MODELS[self.model]

    @property
    def sides(self) -> Sides:
        """How the preset builds the model's encoders."""
        return self.row.sides[self.preset]

    @property
    def joint(self) -> bool:
        """Whether one encoder reads text and photo together."""
        return self.row.joint

    @property
    def reads(self) -> Reads:
        """What the fusion takes: text and photo, or one of them alone."""
        return FUSIONS[self.fusion].reads

    @property
    def text_sees_words(self) -> bool:
        """Whether the text's states depend on what the photo says in words."""
        return self.photo_words and (self.joint or self.words_in_text)

    @property
    def mixed(self) -> bool:
        """Whether the text's states depend on what stands beside the text: the photo, its words, or both."""
        return self.joint or self.text_sees_words

    @property
    def encoder_input(self) -> tuple[bool | str, ...]:
        """What the encoders are given, beside the post itself: the same states for cells that agree in it.

        A fusion that reads the text or the photo alone takes the others' states where encoders look at one
        side only; a stack that reads both must be kept from the other side.
        """
        reads = self.reads if self.mixed else "both"
        return (self.clean_text, self.photo_words, self.words_in_text, reads)

    @property
    def runs(self) -> str:
        """What truly runs, for cards and the app: never only the name of the report's model."""
        return self.sides.runs

    @property
    def sizes(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def cell(self) -> str:
        """The checkpoint's name: preset/dataset/model/fusion."""
        return f"{self.preset}/{self.dataset.name}/{self.model}/{self.fusion}"
