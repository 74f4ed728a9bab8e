"""Answers to a post imagined otherwise, each as what differs from the answer to the post itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mmdemo.answer.predict import predict_many
from mmdemo.cells import gpu
from mmdemo.cells.locate import Cell
from mmdemo.explain.counterfactual import changes, imagined
from mmdemo.types import Counterfactual, ImageSource, Question


@gpu.on_gpu
def counterfactuals(
    question: Question,
    cell: Cell,
    *,
    others: Sequence[ImageSource] = (),
    painted: np.ndarray | None = None,
    masked: Collection[int] = (),
    replaced: Mapping[int, str] | None = None,
    said: Sequence[str] = (),
) -> tuple[Counterfactual, ...]:
    """The answers to a post imagined otherwise, each as what differs from the answer to the post itself.

    The arguments are `mmdemo.explain.counterfactual.imagined`'s; "without the photo" comes first, unasked.

    Raises:
        InputError: as in `mmdemo.answer.predict.predict`, or for what cannot be imagined.
    """
    post = question.post
    cases = imagined(post, others=others, painted=painted, masked=masked, replaced=replaced, said=said)
    asked = [question, *(replace(question, post=case) for _, case in cases)]
    before, *answers = predict_many(asked, cell)
    return tuple(
        Counterfactual(name=name, prediction=answer, changes=changes(before, answer))
        for (name, _), answer in zip(cases, answers, strict=True)
    )
