"""The baseline of joint models: their own token states, which have seen the photo already (SPEC §4)."""

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures


class Native(Fusion):
    """h = x_t. What the photo adds, it has added inside the joint encoder. Trace: none."""

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        return FusionOutput(tokens_BLD=text.tokens_BLD)
