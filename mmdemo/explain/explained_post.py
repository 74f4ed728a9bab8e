"""One answered post together with the cell that answered: what every explainer is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from mmdemo.datasets.schema import Task
from mmdemo.explain.explained_answer import Target, entity_target, relation_target
from mmdemo.models.batch import Batch, Example
from mmdemo.models.decode import softmax
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.models.photo_cache import SEEN
from mmdemo.models.seen import Seen
from mmdemo.models.subtokens import TextInput
from mmdemo.photo.opening import open_image
from mmdemo.posts.marks import MARKS
from mmdemo.types import ImageSource, Pair, Prediction


@dataclass(frozen=True, kw_only=True)
class Row:
    """A word or a mark that the head may read: its sub-tokens [start, end) and word index (-1: a mark)."""

    label: str
    start: int
    end: int
    word: int


@dataclass(frozen=True, kw_only=True)
class ExplainedPost:
    """A prediction to explain, and the one pass over the unchanged post that it came from.

    ``seen`` holds that pass: the one post as a batch, the photo as the image encoder's regions, the states,
    scores and trace. ``pair`` is the pair whose relation is explained; None: the entities are. ``rows`` are
    the words and marks in reading order. ``temperature`` divides the model's scores, as in the prediction.
    ``others`` are photos to compare with.
    """

    model: MultimodalModel
    encoder: PostEncoder
    prediction: Prediction
    pair: Pair | None
    example: Example
    seen: Seen
    target: Target
    rows: tuple[Row, ...]
    temperature: float = 1.0
    others: tuple[Image.Image, ...] = ()

    @property
    def task(self) -> Task:
        """What is explained."""
        return "entities" if self.pair is None else "relations"

    @property
    def batch(self) -> Batch:
        return self.seen.batch

    @property
    def has_photo(self) -> bool:
        return self.example.has_image

    @property
    def has_words(self) -> bool:
        """Whether the model reads something that the photo says in words."""
        return self.example.has_words

    @property
    def joint(self) -> bool:
        """Whether the text encoder reads the photo, so that its states depend on it."""
        return isinstance(self.model.text_encoder, JointEncoder)

    @property
    def text_sees_words(self) -> bool:
        """Whether the text's states depend on what the photo says in words."""
        return self.has_words and self.encoder.config.text_sees_words

    def keeping_states(self, *, photo: bool = False, words: bool = False, text: bool = False) -> Batch:
        """The post with those states of the one pass that do not change along with what is said to change."""
        text_moves = text or (photo and self.joint) or (words and self.text_sees_words)
        words_move = words or (text_moves and self.text_sees_words)
        return replace(
            self.batch,
            states_BLD=None if text_moves else self.seen.states.tokens_BLD,
            word_states_BKD=None if words_move else self.seen.states.words_BKD,
        )

    @property
    def photo_title(self) -> str:
        """What stands beside the text, in words."""
        if not self.has_words:
            return "the photo"
        return "the photo with its words" if self.has_photo else "the photo's words"

    @property
    def words(self) -> tuple[Row, ...]:
        """The rows that are words."""
        return tuple(row for row in self.rows if row.word >= 0)

    def regions_of(self, photos: Sequence[Image.Image | None]) -> Tensor:
        """The image encoder's regions of other photos, (N, R, width); None is a blank grey one.

        A photo that the process has seen before costs a look-up.
        """
        blank = self.encoder.image_size
        pixels = [
            torch.zeros(3, blank, blank).numpy() if photo is None else self.encoder.pixels(photo)
            for photo in photos
        ]
        device = self.batch.ids_BL.device
        examples = [Example(text=self.example.text, pixels_CHW=one) for one in pixels]
        filled = SEEN.fill(examples, self.model.image_encoder, device)
        return torch.stack([one.regions_RD for one in filled if one.regions_RD is not None]).to(device)


def explained(
    model: MultimodalModel,
    encoder: PostEncoder,
    prediction: Prediction,
    example: Example,
    seen: Seen,
    chosen: int | None = None,
    *,
    pair: Pair | None = None,
    temperature: float = 1.0,
    others: Sequence[ImageSource] = (),
) -> ExplainedPost:
    """Prepare a prediction's explanation. Nothing runs: ``seen`` is the pass over ``example`` alone.

    ``chosen`` as in `mmdemo.answer.explain.explain`; a relation's rank counts those of ``pair``.

    Raises:
        InputError: the target is not one of the prediction's, or a photo cannot be read.
    """
    dataset = encoder.config.dataset
    if pair is not None:
        assert example.text.markers is not None
        ranked = [relation for relation in prediction.relations if relation.pair == pair]
        target = relation_target(ranked, chosen, dataset.relation_labels, example.text.markers)
    else:
        logits = seen.output.logits[0].float().cpu().numpy()
        probabilities_WT = softmax(logits, temperature)
        target = entity_target(prediction, chosen, dataset.tags, example.text.first, probabilities_WT)
    return ExplainedPost(
        model=model,
        encoder=encoder,
        prediction=prediction,
        pair=pair,
        example=example,
        seen=seen,
        target=target,
        rows=rows_of(example.text, prediction.post.tokens),
        temperature=temperature,
        others=tuple(open_image(other) for other in others if other is not None),
    )


def rows_of(text: TextInput, words: tuple[str, ...]) -> tuple[Row, ...]:
    """Words that have a sub-token, and the four marks, in reading order."""
    starts = [(place, words[w], w) for w, place in enumerate(text.first) if place >= 0]
    if text.markers is not None:
        starts += [(place, mark, -1) for place, mark in zip(text.markers, MARKS, strict=True)]
    starts.sort()
    ends = [*(place for place, _, _ in starts[1:]), len(text.ids) - 1]
    return tuple(
        Row(label=label, start=start, end=end, word=word)
        for (start, label, word), end in zip(starts, ends, strict=True)
    )
