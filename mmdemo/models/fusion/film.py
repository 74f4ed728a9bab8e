"""FiLM: one modality makes a scale γ and a shift β for every channel of the other.

Perez et al. 2018, "FiLM: Visual Reasoning with a General Conditioning Layer"; the report's §3.7,
§4.4.1, §4.6.1 and §6.3 (SPEC §4). γ and β act on channels, never on places in the photo.
"""

import torch
from torch import Tensor, nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent

FILM_VARIANTS = ("report", "swapped", "residual", "relu")


class ModalityAttention(nn.Module):
    """One score a modality and token, D -> D/2 -> 1 with tanh (report §4.6.1).

    The photo's score starts low, so that training starts near the text's own states.
    """

    def __init__(self, width: int, dropout: float, start: float) -> None:
        super().__init__()
        last = nn.Linear(width // 2, 1)
        nn.init.constant_(last.bias, start)
        self.score = nn.Sequential(nn.Linear(width, width // 2), nn.Tanh(), nn.Dropout(dropout), last)

    def forward(self, states_BLD: Tensor) -> Tensor:
        return self.score(states_BLD)


class FiLM(Fusion):
    """γ = Wγ c + bγ, β = Wβ c + bβ, FiLM(x) = γ⊙x + β, in the report's final form or a written variant.

    =========  ==============  =========  =================================================
    variant    c (conditions)  x          formula
    =========  ==============  =========  =================================================
    report     each token      the photo  α_t·token + α_v·(γ⊙x + β), α by attention nets
    swapped    the photo       tokens     γ⊙x + β (§3.7)
    residual   the photo       tokens     (1 + γ)⊙x + β (eq. 3.5)
    relu       the photo       tokens     γ⊙x + β with γ, β through ReLU (eqs. 3.25-3.27)
    =========  ==============  =========  =================================================

    "The photo" is the mean of its regions (`ImageFeatures.pooled_BD`). The generators' weights start at zero
    (near zero under ReLU, which would stay dead), with γ at its identity, and training spares them weight
    decay.

    Trace: ``gamma_BLD``, ``beta_BLD`` (L = 1 where the photo conditions), ``modality_BL2`` (report: weight
    of text and photo for each token).
    """

    def __init__(self, width: int, variant: str = "report", dropout: float = 0.1) -> None:
        super().__init__()
        assert variant in FILM_VARIANTS
        self.variant = variant
        self.generator_gamma = nn.Linear(width, width)
        self.generator_beta = nn.Linear(width, width)
        spread = 0.01 if variant == "relu" else 0.0
        for layer in (self.generator_gamma, self.generator_beta):
            nn.init.normal_(layer.weight, std=spread) if spread else nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        #: The γ that changes nothing.
        self.identity = 0.0 if variant == "residual" else 1.0
        nn.init.constant_(self.generator_gamma.bias, self.identity)
        if variant == "report":
            self.attend_text = ModalityAttention(width, dropout, start=1.0)
            self.attend_image = ModalityAttention(width, dropout, start=-1.0)

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        if self.variant == "report":
            return self._modulate_image(text, image)
        condition_B1D = image.pooled_BD[:, None]
        gamma, beta = self.generator_gamma(condition_B1D), self.generator_beta(condition_B1D)
        if self.variant == "relu":
            gamma, beta = gamma.relu(), beta.relu()
        scale = 1 + gamma if self.variant == "residual" else gamma
        fused_BLD = scale * text.tokens_BLD + beta
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image),
            trace={"gamma_BLD": gamma, "beta_BLD": beta},
        )

    def _modulate_image(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        gamma_BLD, beta_BLD = self.generator_gamma(text.tokens_BLD), self.generator_beta(text.tokens_BLD)
        modulated_BLD = gamma_BLD * image.pooled_BD[:, None] + beta_BLD
        scores_BL2 = torch.cat([self.attend_text(text.tokens_BLD), self.attend_image(modulated_BLD)], dim=-1)
        scores_BL2 = scores_BL2.masked_fill(_absent_image(image, scores_BL2), float("-inf"))
        modality_BL2 = scores_BL2.softmax(dim=-1)
        fused_BLD = modality_BL2[..., :1] * text.tokens_BLD + modality_BL2[..., 1:] * modulated_BLD
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image),
            trace={"gamma_BLD": gamma_BLD, "beta_BLD": beta_BLD, "modality_BL2": modality_BL2},
        )


def _absent_image(image: ImageFeatures, scores_BL2: Tensor) -> Tensor:
    """True at the photo's score where there is no photo: its weight becomes exactly 0."""
    is_image_2 = torch.tensor([False, True], device=scores_BL2.device)
    return ~image.present_B[:, None, None] & is_image_2
