"""The columns of SPEC §4, one a fusion: its names, what it lets a person see, and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mmdemo.models.encoders.table import MODELS, Kind
from mmdemo.models.features import Fusion, Reads
from mmdemo.models.fusion.attention import Attention
from mmdemo.models.fusion.attention_tokens import AttentionTokens
from mmdemo.models.fusion.baselines.concat import Average, Concat
from mmdemo.models.fusion.baselines.native import Native
from mmdemo.models.fusion.baselines.one_side import ImageOnly, TextOnly
from mmdemo.models.fusion.bilinear import Bilinear
from mmdemo.models.fusion.bimodal import Bimodal
from mmdemo.models.fusion.cross_attention import CrossAttention
from mmdemo.models.fusion.film import FiLM
from mmdemo.models.fusion.gated_hybrid import GatedHybrid
from mmdemo.models.fusion.hybrid import Hybrid
from mmdemo.models.fusion.late import Late
from mmdemo.models.fusion.two_way import TwoWayCrossAttention


class Options(Protocol):
    """What a configuration says to a fusion beside the width."""

    @property
    def film_variant(self) -> str: ...

    @property
    def bimodal_activation(self) -> str: ...

    @property
    def token_score(self) -> str: ...

    @property
    def dropout(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class FusionRow:
    """A column of SPEC §4. ``shows`` says what it lets a person see; ``trace`` names the tensors for that.

    ``baseline`` is the kind of model whose baseline it is: the zoo has it for that kind alone. An ``extra``
    one can be trained and picked, but is not part of the zoo's plan. ``mixes`` is True where the second of
    the weights in ``modality_BL2`` is that of a mix which holds text too. ``reads`` is the class's own.
    ``options`` are the settings of a configuration, beside dropout, that choose its formula.
    """

    name: str
    title: str
    shows: str
    build: Callable[[int, Options], Fusion]
    trace: tuple[str, ...] = ()
    baseline: Kind | None = None
    extra: bool = False
    mixes: bool = False
    reads: Reads = "both"
    options: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Title and what it shows, in one line."""
        return f"{self.title}: {self.shows}"


ROWS: tuple[FusionRow, ...] = (
    FusionRow(
        name="film",
        title="FiLM",
        shows="γ and β from the text modulate the photo's channels; attention weighs both",
        build=lambda width, options: FiLM(width, options.film_variant, options.dropout),
        trace=("gamma_BLD", "beta_BLD", "modality_BL2"),
        options=("film_variant",),
    ),
    FusionRow(
        name="attention",
        title="Attention",
        shows="weights for text and photo, and image-guided weights over tokens",
        build=lambda width, options: Attention(width, options.token_score),
        trace=("modality_BL2", "tokens_BL"),
        options=("token_score",),
    ),
    FusionRow(
        name="cross-attention",
        title="Cross-attention",
        shows="each token looks at the photo's regions, 8 heads",
        build=lambda width, options: CrossAttention(width, options.dropout),
        trace=("attention_BHLR",),
    ),
    FusionRow(
        name="bimodal",
        title="Bimodal",
        shows="both projected, mixed by one learnt weight α, then a layer with ReLU or tanh",
        build=lambda width, options: Bimodal(width, options.bimodal_activation),
        trace=("alpha_B1",),
        options=("bimodal_activation",),
    ),
    FusionRow(
        name="concat",
        title="Concatenation",
        shows="ReLU(W[text; photo] + b), the baseline of two encoders",
        build=lambda width, options: Concat(width),
        baseline="two encoders",
    ),
    FusionRow(
        name="native",
        title="Native",
        shows="a joint encoder's own token states, its baseline",
        build=lambda width, options: Native(),
        baseline="joint",
    ),
    FusionRow(
        name="hybrid",
        title="Hybrid",
        shows="FiLM, then concatenation, then attention weights",
        build=lambda width, options: Hybrid(width, options.dropout, options.token_score),
        trace=("gamma_BLD", "beta_BLD", "modality_BL2", "tokens_BL"),
        mixes=True,
        options=("token_score",),
    ),
    FusionRow(
        name="gated-hybrid",
        title="Gated hybrid",
        shows="FiLM and cross-attention, each weighed against the text by a gate a word",
        build=lambda width, options: GatedHybrid(width, options.dropout),
        trace=("gamma_BLD", "beta_BLD", "attention_BHLR", "gate_BL3"),
        extra=True,
    ),
    FusionRow(
        name="bilinear",
        title="Bilinear (low rank)",
        shows="text and photo multiplied in a shared space",
        build=lambda width, options: Bilinear(width),
        extra=True,
    ),
    FusionRow(
        name="late",
        title="Late",
        shows="text and photo each decide; a learnt weight mixes their scores",
        build=lambda width, options: Late(width),
        trace=("modality_BL2",),
        extra=True,
    ),
    FusionRow(
        name="average",
        title="Averaging",
        shows="text and photo in equal parts, nothing learnt",
        build=lambda width, options: Average(),
        extra=True,
    ),
    FusionRow(
        name="film-swapped",
        title="FiLM, by the photo",
        shows="γ and β from the photo modulate each word's channels",
        build=lambda width, options: FiLM(width, "swapped", options.dropout),
        trace=("gamma_BLD", "beta_BLD"),
        extra=True,
    ),
    FusionRow(
        name="film-residual",
        title="FiLM, residual",
        shows="γ and β from the photo modulate each word's channels, as (1 + γ)",
        build=lambda width, options: FiLM(width, "residual", options.dropout),
        trace=("gamma_BLD", "beta_BLD"),
        extra=True,
    ),
    FusionRow(
        name="film-relu",
        title="FiLM, ReLU",
        shows="γ and β from the photo through ReLU modulate each word's channels",
        build=lambda width, options: FiLM(width, "relu", options.dropout),
        trace=("gamma_BLD", "beta_BLD"),
        extra=True,
    ),
    FusionRow(
        name="attention-tokens",
        title="Attention over words",
        shows="the photo weighs the tweet's own words",
        build=lambda width, options: AttentionTokens(width, options.token_score),
        trace=("tokens_BL",),
        extra=True,
        options=("token_score",),
    ),
    FusionRow(
        name="cross-attention-two-way",
        title="Two-way cross-attention",
        shows="the photo's regions look at the words, then each word at the regions",
        build=lambda width, options: TwoWayCrossAttention(width, options.dropout),
        trace=("attention_BHLR", "attention_BHRL"),
        extra=True,
    ),
    FusionRow(
        name="text-only",
        title="Text only",
        shows="the text alone: what every fusion must beat",
        build=lambda width, options: TextOnly(),
        extra=True,
        reads="text",
    ),
    FusionRow(
        name="image-only",
        title="Photo only",
        shows="the photo and its words alone, the same for every word of the tweet",
        build=lambda width, options: ImageOnly(),
        extra=True,
        reads="photo",
    ),
)

#: The rows by name. The first is what is picked where nothing is said.
FUSIONS: dict[str, FusionRow] = {row.name: row for row in ROWS}
DEFAULT_FUSION = ROWS[0].name


def fusions_of(model: str) -> tuple[str, ...]:
    """The zoo's fusions of a model: of the baselines, that of its kind alone."""
    kind = MODELS[model].kind
    return tuple(row.name for row in FUSIONS.values() if not row.extra and row.baseline in (None, kind))


def buildable(model: str) -> tuple[str, ...]:
    """All fusions that a model can be trained with: the zoo's and the extra ones."""
    return (*fusions_of(model), *(row.name for row in FUSIONS.values() if row.extra))
