"""Rows -> lines of output: each the row's id and what ``predict --json`` prints, or what is wrong with it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdemo.answer import pipeline
from mmdemo.answer.pipeline import Cell
from mmdemo.batch.rows import Row
from mmdemo.photo.image import open_image
from mmdemo.types import InputError, Post
from mmdemo.ui.shell.view import prediction_json

#: Posts in one forward pass. Their photos alone are open at a time, so memory does not grow with the input.
BATCH = 16


@dataclass(frozen=True, kw_only=True)
class Question:
    """A row that can be asked: its place among its fellows, its post without the photo, the photo's file."""

    place: int
    post: Post
    photo: Path | None


def answer_rows(rows: Sequence[Row], cell: Cell, images: Path) -> list[str]:
    """One line of JSON for each row, in their order.

    Posts are asked in the order of their length, with and without photo apart, so that little is padded.

    Args:
        images: the folder that image paths start from and must stay in.
    """
    answers: list[dict[str, Any]] = [{"error": row.problem} for row in rows]
    questions = []
    for place, row in enumerate(rows):
        if row.problem is None:
            try:
                post = pipeline.read_post(row.text, cell.dataset)
                photo = find_photo(row.image, images) if row.image else None
                questions.append(Question(place=place, post=post, photo=photo))
            except InputError as error:
                answers[place] = {"error": str(error)}
    questions.sort(key=lambda q: (q.photo is not None, len(q.post.tokens)))
    for start in range(0, len(questions), BATCH):
        for place, answer in _ask(questions[start : start + BATCH], cell):
            answers[place] = answer
    return [_line(row, answer, cell) for row, answer in zip(rows, answers, strict=True)]


def find_photo(name: str, images: Path) -> Path:
    """The named file below ``images``. Links are followed first, so none leads out.

    Raises:
        InputError: the name leads out of the folder.
    """
    try:
        photo = (images / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links
        raise InputError(f"the photo {name[:80]!r} does not exist") from error
    if not photo.is_relative_to(images.resolve()):
        raise InputError(f"the photo {name[:80]!r} lies outside the folder of images")
    return photo


def _ask(questions: Sequence[Question], cell: Cell) -> list[tuple[int, dict[str, Any]]]:
    """(place, answer) of each question. A photo that cannot be read fails its own post alone."""
    answers: list[tuple[int, dict[str, Any]]] = []
    places, posts = [], []
    for question in questions:
        try:
            photo = None if question.photo is None else open_image(question.photo)
        except InputError as error:
            answers.append((question.place, {"error": str(error)}))
        else:
            places.append(question.place)
            posts.append(replace(question.post, image=photo))
    if posts:
        predictions = pipeline.predict_many(posts, cell)
        answers += [(p, prediction_json(a)) for p, a in zip(places, predictions, strict=True)]
    return answers


def _line(row: Row, answer: dict[str, Any], cell: Cell) -> str:
    """Errors name the cell too: another one may well have an answer."""
    stated = {"checkpoint": cell.name} if "error" in answer else {}
    return json.dumps({"id": row.id, **answer, **stated}, ensure_ascii=False)
