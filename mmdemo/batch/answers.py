"""Rows -> lines of output: each the row's id and what ``predict --json`` prints, or what is wrong with it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdemo.answer.answer_json import prediction_json
from mmdemo.answer.extract import extract_many
from mmdemo.answer.extract_json import extraction_json
from mmdemo.answer.photo_words import words_for
from mmdemo.answer.predict import predict_many
from mmdemo.batch.rows import Row
from mmdemo.cells.locate import Cell
from mmdemo.photo.opening import open_image
from mmdemo.posts.pairs import read_whole
from mmdemo.posts.question import read_post
from mmdemo.types import InputError, Question, quoted

#: Posts in one forward pass. Their photos alone are open at a time, so memory does not grow with the input.
BATCH = 16


@dataclass(frozen=True, kw_only=True)
class AskedRow:
    """A row that can be asked: its place among all, its question without the photo, the photo's file."""

    place: int
    question: Question
    photo: Path | None


def answerer(cell: Cell, relations: Cell | None) -> str:
    """Who answers: a cell, or the two of an extraction."""
    return cell.name if relations is None or relations == cell else f"{cell.name} + {relations.name}"


def answer_rows(
    rows: Sequence[Row], cell: Cell, images: Path, relations: Cell | None = None, *, extract: bool = False
) -> list[str]:
    """One line of JSON for each row, in their order.

    Posts are asked in the order of their length, with and without photo apart, so that little is padded.

    Args:
        images: the folder that image paths start from and must stay in.
        relations: the cell that tells relations where both are asked for (``extract``).
    """
    cells = [cell, *([relations] if relations else [])]
    answers: list[dict[str, Any]] = [{"error": row.problem} for row in rows]
    asked = []
    for place, row in enumerate(rows):
        if row.problem is None:
            try:
                photo = find_photo(row.image, images) if row.image else None
                words = words_for(cells, photo, row.photo_words)
                if extract:
                    question = read_whole(row.text, cell.dataset.words, photo_words=words)
                else:
                    question = read_post(row.text, cell.dataset, photo_words=words)
                asked.append(AskedRow(place=place, question=question, photo=photo))
            except InputError as error:
                answers[place] = {"error": str(error)}
    asked.sort(key=lambda one: (one.photo is not None, len(one.question.post.tokens)))
    for start in range(0, len(asked), BATCH):
        for place, answer in _ask(asked[start : start + BATCH], cell, relations, extract=extract):
            answers[place] = answer
    name = answerer(cell, relations)
    return [_line(row, answer, name) for row, answer in zip(rows, answers, strict=True)]


def find_photo(name: str, images: Path) -> Path:
    """The named file below ``images``. Links are followed first, so none leads out.

    Raises:
        InputError: the name leads out of the folder.
    """
    try:
        photo = (images / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links
        raise InputError(f"the photo {quoted(name)} does not exist") from error
    if not photo.is_relative_to(images.resolve()):
        raise InputError(f"the photo {quoted(name)} lies outside the folder of images")
    return photo


def _ask(
    asked: Sequence[AskedRow], cell: Cell, relations: Cell | None, *, extract: bool
) -> list[tuple[int, dict[str, Any]]]:
    """(place, answer) of each question. A photo that cannot be read fails its own post alone."""
    answers: list[tuple[int, dict[str, Any]]] = []
    places, questions = [], []
    for row in asked:
        try:
            photo = None if row.photo is None else open_image(row.photo)
        except InputError as error:
            answers.append((row.place, {"error": str(error)}))
        else:
            places.append(row.place)
            questions.append(replace(row.question, post=replace(row.question.post, image=photo)))
    if questions:
        if extract:
            told = [extraction_json(one) for one in extract_many(questions, cell, relations)]
        else:
            told = [prediction_json(one) for one in predict_many(questions, cell)]
        answers += zip(places, told, strict=True)
    return answers


def _line(row: Row, answer: dict[str, Any], name: str) -> str:
    """Errors name the cell too: another one may well have an answer. What was cut of the row is a warning."""
    if "error" in answer:
        more: dict[str, Any] = {"checkpoint": name}
    else:
        more = {"checkpoint": name, "warnings": [*answer["warnings"], *row.notes]}
    return json.dumps({"id": row.id, **answer, **more}, ensure_ascii=False)
