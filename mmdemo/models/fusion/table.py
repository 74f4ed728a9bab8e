"""The columns of SPEC §4, one a fusion: its names, what it lets a person see, and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mmdemo.models.encoders.table import MODELS, Kind
from mmdemo.models.features import Fusion
from mmdemo.models.fusion.attention import Attention
from mmdemo.models.fusion.bilinear import Bilinear
from mmdemo.models.fusion.bimodal import Bimodal
from mmdemo.models.fusion.concat import Concat
from mmdemo.models.fusion.cross_attention import CrossAttention
from mmdemo.models.fusion.film import FiLM
from mmdemo.models.fusion.hybrid import Hybrid
from mmdemo.models.fusion.late import Late
from mmdemo.models.fusion.native import Native


class Options(Protocol):
    """What a configuration says to a fusion beside the width."""

    @property
    def film_variant(self) -> str: ...

    @property
    def dropout(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class FusionRow:
    """A column of SPEC §4. ``shows`` says what it lets a person see; ``trace`` names the tensors for that.

    ``baseline`` is the kind of model whose baseline it is: the zoo has it for that kind alone. An ``extra``
    one can be trained, but is not part of the zoo. ``mixes`` is True where the second of the weights in
    ``modality_BL2`` is that of a mix which holds text too.
    """

    name: str
    title: str
    shows: str
    build: Callable[[int, Options], Fusion]
    trace: tuple[str, ...] = ()
    baseline: Kind | None = None
    extra: bool = False
    mixes: bool = False

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
    ),
    FusionRow(
        name="attention",
        title="Attention",
        shows="weights for text and photo, and image-guided weights over tokens",
        build=lambda width, options: Attention(width),
        trace=("modality_BL2", "tokens_BL"),
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
        shows="both projected, mixed by one learnt weight α, then a sigmoid layer",
        build=lambda width, options: Bimodal(width),
        trace=("alpha_B1",),
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
        build=lambda width, options: Hybrid(width, options.dropout),
        trace=("gamma_BLD", "beta_BLD", "modality_BL2", "tokens_BL"),
        mixes=True,
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
