"""The unimodal baselines: the text alone and the photo alone (report §4.3.2, SPEC §3).

Without them nobody can say what a fusion adds. `MultimodalModel.encode` keeps an encoder that reads both from
the other side, so that a joint model's text alone has not seen the photo, nor its photo the text.
"""

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, Reads, TextFeatures


class TextOnly(Fusion):
    """h = x_t, whatever stands beside the text. Trace: none."""

    reads: Reads = "text"

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        return FusionOutput(tokens_BLD=text.tokens_BLD)


class ImageOnly(Fusion):
    """h = x_v at every token: the photo's mean region, its words included, and nothing of the text.

    Of a relation it says which one such a photo makes likely. A tagger's words are all given the same state,
    so it says the same of each of them: which tag a word has, a photo alone cannot know. Without a photo and
    its words h = 0, and the head answers what is likely of any post: text in its place would be no baseline.

    Trace: none.
    """

    reads: Reads = "photo"

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        return FusionOutput(tokens_BLD=image.pooled_BD[:, None].expand_as(text.tokens_BLD))

    def alone(self, text: TextFeatures) -> FusionOutput:
        return FusionOutput(tokens_BLD=text.tokens_BLD.new_zeros(text.tokens_BLD.shape))
