"""One answered post together with the cell that answered: what every explainer is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image

from mmdemo.datasets.bio import output_labels
from mmdemo.explain.explained_answer import Target, entity_target, relation_target
from mmdemo.models.batch import Batch, Example, collate
from mmdemo.models.decode import softmax
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.photo.image import open_image
from mmdemo.posts.text import MARKS, TextInput
from mmdemo.types import ImageSource, Prediction


@dataclass(frozen=True, kw_only=True)
class Row:
    """A word or a mark that the head may read: its sub-tokens [start, end) and word index (-1: a mark)."""

    label: str
    start: int
    end: int
    word: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A prediction to explain. ``batch`` holds the one post; ``rows`` its words and marks in reading order.

    ``temperature`` divides the model's scores, as in the prediction. ``others`` are photos to compare with.
    """

    model: MultimodalModel
    encoder: PostEncoder
    prediction: Prediction
    example: Example
    batch: Batch
    target: Target
    rows: tuple[Row, ...]
    temperature: float = 1.0
    others: tuple[Image.Image, ...] = ()

    @property
    def has_photo(self) -> bool:
        return self.example.has_image

    @property
    def joint(self) -> bool:
        """Whether the text encoder reads the photo, so that its states depend on it."""
        return isinstance(self.model.text_encoder, JointEncoder)

    @property
    def words(self) -> tuple[Row, ...]:
        """The rows that are words."""
        return tuple(row for row in self.rows if row.word >= 0)


def ask(
    model: MultimodalModel,
    encoder: PostEncoder,
    prediction: Prediction,
    chosen: int | None = None,
    *,
    temperature: float = 1.0,
    others: Sequence[ImageSource] = (),
) -> Subject:
    """Prepare a prediction's explanation; ``chosen`` as in `mmdemo.answer.pipeline.explain`.

    Raises:
        InputError: the target is not one of the prediction's, or a photo cannot be read.
    """
    post = prediction.post
    photo = None if post.image is None else open_image(post.image)
    question = replace(post, entities=None, tags=None, relation=None)  # answers may be another dataset's
    example = encoder.encode(question, photo)
    batch = collate([example]).to(next(model.parameters()).device)
    with torch.inference_mode():
        logits = model(batch).logits[0].float().cpu().numpy()
    labels = output_labels(encoder.config.dataset)
    if encoder.config.task == "re":
        assert example.text.markers is not None
        target = relation_target(prediction, chosen, labels, example.text.markers)
    else:
        probabilities_WT = softmax(logits, temperature)
        target = entity_target(prediction, chosen, labels, example.text.first, probabilities_WT)
    return Subject(
        model=model,
        encoder=encoder,
        prediction=prediction,
        example=example,
        batch=batch,
        target=target,
        rows=rows_of(example.text, post.tokens),
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
