"""Label Studio's JSON tasks: text, photo, labelled regions and relations between them.

``data`` carries the post's id, words and own text (`shared.carried`), and Label Studio hands ``data`` back as
it was. Tasks of other projects are read too: the longest text in ``data`` is parted into words, but for a
``description`` or ``alt_text``, which are words of the photo. `config` is the labelling setup to paste. A
span that a relation joins and that is no entity gets a region of its own. Who decided a post last is the
``completed_by`` of its annotation; a post with scores that nobody decided is a prediction.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.carried import carried, carried_post, unlabelled_among
from mmdemo.formats.shared.fitting import empty_word
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import UNLABELLED, joined, unlabelled
from mmdemo.formats.shared.photo_words import DESCRIBED
from mmdemo.formats.shared.regions import Marked, regions_of
from mmdemo.formats.text.lines import check_text, text_or_none, write_text
from mmdemo.formats.text.values import read_rows
from mmdemo.types import Decided, InputError, Question, quoted


def config(dataset: Dataset) -> str:
    """The labelling setup for a dataset, as Label Studio's XML."""
    names = (*dataset.entity_labels, unlabelled(dataset.entity_labels))
    labels = "".join(f"<Label value={quoteattr(x)}/>" for x in names)
    relations = "".join(f"<Relation value={quoteattr(x)}/>" for x in dataset.relation_labels)
    return (
        f'<View><Labels name="label" toName="text">{labels}</Labels><Relations>{relations}</Relations>'
        '<Image name="image" value="$image"/>'
        '<Text name="text" value="$text" granularity="word"/></View>'
    )


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write tasks with one annotation each, and none where a post states nothing."""
    none = unlabelled_among(rows)
    write_text(path, json.dumps([_task(row, none) for row in rows], ensure_ascii=False, indent=1) + "\n")


def _task(row: Question, none: str) -> dict[str, Any]:
    post = row.post
    text, places = joined(post.tokens)
    regions, links = regions_of(post, places)
    marks: list[dict[str, Any]] = [
        {
            "id": f"s{region.number}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": region.start,
                "end": region.end,
                "text": text[region.start : region.end],
                "labels": [none if region.label is None else region.label],
            },
        }
        for region in regions
    ]
    scores = [entity.score for entity in post.entities or ()]  # the first regions are the entities
    for mark, score in zip(marks, scores, strict=False):
        if score is not None:
            mark["score"] = score
    relations: list[dict[str, Any]] = [
        {
            "type": "relation",
            "from_id": f"s{link.head}",
            "to_id": f"s{link.tail}",
            "direction": "right",
            "labels": [link.label],
        }
        for link in links
    ]
    image = Path(str(post.image)).name if isinstance(post.image, str | Path) else ""
    data = {"text": text, "id": post.id, **carried(post, none), "image": image}
    answer: dict[str, Any] = {"result": [*marks, *relations]}
    if post.entities is None and post.relations is None:
        return {"data": data, "annotations": []}
    if row.decided:
        last = row.decided[-1]
        answer |= {"completed_by": {"email": last.by}, "created_at": last.at}
        return {"data": data, "annotations": [answer]}
    sure = [score for score in scores if score is not None]
    if not sure:
        return {"data": data, "annotations": [answer]}
    if len(sure) == len(scores):  # else it would count for those without one
        answer["score"] = min(sure)
    return {"data": data, "annotations": [], "predictions": [answer]}


# ---------------------------------------------------------------- reading


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """The tasks of an export, each with its last annotation; without any, with its last prediction.

    Where several people annotated a task, the question has what each of them states (``reviews``).

    Raises:
        InputError: no such JSON, or a task without text.
    """
    tasks = read_rows(path, left, "task")
    yield from left.each(tasks, lambda found: _row(found[1], dataset, left, found[0]))


def _row(task: dict[str, Any], dataset: Dataset | None, left: LeftOut, where: str) -> Question:
    try:
        if "data" not in task and "task" in task:  # one annotation a file, as its storages keep them
            task = {**task["task"], "annotations": [task]}
        data = _with_text(task["data"])
        marked = carried_post(data, data["text"], dataset, where, left)
        given = data.get("id", None if "tokens" in data else task.get("id"))
        image_id = marked.post.image_id or (None if "tokens" in data else _image_id(data))
        none = text_or_none(data, "unlabelled", where) or UNLABELLED
        people = _people(task)
        for who, results in people.items():
            _mark(results, marked, who, none, left, where)
        last = next(reversed(people), "")
        if not people and (guesses := task.get("predictions")):
            left.note("predictions of a model, where nobody annotated: they are suggestions")
            _mark(guesses[-1]["result"], marked, last, none, left, where, _score(guesses[-1]))
            people[last] = guesses[-1]["result"]
        post = marked.finish(last, entities=bool(people), relations=bool(people))
        post = replace(post, id=None if given is None else check_text(str(given), where), image_id=image_id)
        reviews = tuple(marked.stated(who) for who in people) if len(people) > 1 else ()
        return replace(question(post, dataset), reviews=reviews, decided=_deciders(task, where))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{where} is not a task of Label Studio with a text: {quoted(error)}") from error


def _people(task: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Each annotator's last results, in order; a lone one has no name."""
    found = dict[str, list[dict[str, Any]]]()
    for annotation in _done(task):
        name = _who(annotation)
        found.pop(name, None)
        found[name] = annotation["result"]
    return found if len(found) != 1 else {"": next(iter(found.values()))}


def _done(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The annotations that nobody skipped."""
    done = task.get("annotations") or task.get("completions") or []
    return [annotation for annotation in done if not annotation.get("was_cancelled")]


def _who(annotation: dict[str, Any]) -> str:
    """The annotator's name, or ""."""
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    return f"annotator {who}" if type(who) is int else str(who or "")[:80]


def _deciders(task: dict[str, Any], where: str) -> tuple[Decided, ...]:
    """Who annotated a task, and when, in order."""
    named = [(_who(one), one.get("updated_at") or one.get("created_at")) for one in _done(task)]
    return tuple(
        Decided(by=check_text(who, where), verdict="annotated", at=check_text(at, where) if at else "")
        for who, at in named
        if who
    )


def _score(row: dict[str, Any]) -> float | None:
    score = row.get("score")
    if not isinstance(score, int | float) or isinstance(score, bool):
        return None
    return score if 0 <= score <= 1 else None


def _with_text(data: dict[str, Any]) -> dict[str, Any]:
    """A task's data with its text as ``text``, whatever its project calls it."""
    if "text" in data:
        return data
    texts = {key: x for key, x in data.items() if isinstance(x, str) and key not in ("id", "image")}
    own = [key for key in texts if key not in DESCRIBED] or list(texts)
    name = max(own, key=lambda key: len(texts[key]), default=None)
    rest = {key: value for key, value in data.items() if key != name}
    return {**rest, "text": None if name is None else texts[name]}


def _image_id(data: dict[str, Any]) -> str | None:
    """The name of the photo that another project's task shows."""
    image = data.get("image")
    name = image.split("?")[0].rstrip("/").rpartition("/")[2] if isinstance(image, str) else ""
    return name or None


def _mark(
    result: list[dict[str, Any]],
    marked: Marked,
    who: str,
    none: str,
    left: LeftOut,
    where: str,
    score: float | None = None,
) -> None:
    """Collect one annotation's regions and relations."""
    for row in result:
        kind = row["type"]
        if kind in ("labels", "hypertextlabels"):
            value = row["value"]
            own = _score(row)
            sure = score if own is None else own
            for name in _labels(value.get(kind) or value["labels"], where):
                place = value.get("globalOffsets") if kind != "labels" else None
                start, end = (place["start"], place["end"]) if place else (value["start"], value["end"])
                marked.mark(
                    row["id"],
                    start,
                    end,
                    None if name == none else name,
                    where,
                    stated=value.get("text"),
                    score=sure,
                    who=who,
                )
        elif kind != "relation":
            left.pass_over(f"annotations of the type {kind!r:.30}")
    for row in result:
        if row["type"] == "relation":
            ends = [row["from_id"], row["to_id"]]
            if row.get("direction") == "left":
                ends.reverse()
            labels = _labels(row.get("labels") or [], where)
            if not labels:
                left.pass_over("relations without a label")
            for label in labels:
                marked.link(ends[0], ends[1], label, where, who)


def _labels(stated: Any, where: str) -> list[str]:
    """The labels of a region or a relation: a list, or one alone, which is no list of its letters."""
    return [check_text(label, where) for label in ([stated] if isinstance(stated, str) else stated)]


def looks_like(path: Path, start: str) -> bool:
    if path.suffix.lower() not in (".json", ".jsonl", ".ndjson"):
        return False
    parts = ('"annotations":', '"predictions":', '"completions":', '"result":', '"own_text":')
    return '"data":{' in start.replace(": {", ":{") and any(part in start for part in parts)


FORMAT = Format(
    name="label-studio",
    title="Label Studio",
    suffix=".json",
    holds="everything",
    reader=read,
    writer=write,
    problem=empty_word,
    text=True,
    photo_id=True,
    photo_words=True,
    scores=True,
    annotators=True,
    looks_like=looks_like,
)
