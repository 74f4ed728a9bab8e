"""A first meaning for the marks of a pair, where what enters a text encoder is not trained."""

import torch

from mmdemo.models.encoders.text import FIRST_MARK, BertText
from mmdemo.models.subtokens import TextReader
from mmdemo.posts.marks import MARKS
from mmdemo.types import InputError

#: Signs that every vocabulary has, in the order of `MARKS`. A sign that a pretrained encoder knows serves as
#: a mark no worse than a new one (Zhou & Chen, "An Improved Baseline for Sentence-level Relation
#: Extraction", 2022, have @ and # for it, which tweets use otherwise).
SIGNS = ("(", ")", "[", "]")


@torch.no_grad()
def read_marks_as_signs(encoder: BertText, reader: TextReader) -> None:
    """Let the marks enter as `SIGNS` do; marks that a training has given a meaning keep it.

    Raises:
        InputError: the vocabulary lacks one of the signs.
    """
    marks = encoder.feature_embedding.weight[FIRST_MARK : FIRST_MARK + len(MARKS)]
    if marks.any():
        return
    ids = [reader.tokenizer.token_to_id(sign) for sign in SIGNS]
    if None in ids:
        raise InputError(
            f"the vocabulary has no {SIGNS[ids.index(None)]}, as which a frozen mark would enter"
        )
    words = encoder.bert.embeddings.word_embeddings.weight
    marks.copy_(words[ids] - words[reader.mark_ids])
