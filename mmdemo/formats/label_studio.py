"""Label Studio's JSON tasks: text, photo, labelled regions and relations between them.

``data`` keeps the post's id, words and own text, and Label Studio hands ``data`` back as it was, so that an
export which somebody corrected there finds its posts again. `CONFIG` is the labelling setup to paste.
A relation whose spans carry no entity label gets regions labelled `UNTYPED`, which are no entities.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from mmdemo.datasets.bio import RELATIONS
from mmdemo.formats.lines import check_text, check_words, write_text
from mmdemo.formats.offsets import characters, joined, words
from mmdemo.review.records import Answer, Labelled, Link
from mmdemo.review.schema import entity_labels
from mmdemo.types import Entity, InputError, Post, Span

UNTYPED = "SPAN"


def config(dataset: str) -> str:
    """The labelling setup for a dataset, as Label Studio's XML."""
    labels = "".join(f"<Label value={quoteattr(x)}/>" for x in (*entity_labels(dataset), UNTYPED))
    relations = "".join(f"<Relation value={quoteattr(x)}/>" for x in RELATIONS)
    return (
        f'<View><Labels name="label" toName="text">{labels}</Labels><Relations>{relations}</Relations>'
        '<Image name="image" value="$image"/>'
        '<Text name="text" value="$text" granularity="word"/></View>'
    )


def write(path: Path, items: Sequence[Labelled]) -> None:
    """Write tasks with one annotation each."""
    write_text(path, json.dumps([_task(item) for item in items], ensure_ascii=False, indent=1) + "\n")


def _task(item: Labelled) -> dict[str, Any]:
    post, answer = item.post, item.answer or Answer()
    text, places = joined(post.tokens)
    regions: list[dict[str, Any]] = []
    names: dict[Span, str] = {}

    def region(span: Span, label: str) -> None:
        start, end = characters(places, span)
        names[span] = f"s{span[0]}-{span[1]}"
        value = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
        regions.append(
            {"id": names[span], "from_name": "label", "to_name": "text", "type": "labels", "value": value}
        )

    for entity in answer.entities:
        region((entity.start, entity.end), entity.label)
    for link in answer.links:
        for span in (link.head, link.tail):
            if span not in names:
                region(span, UNTYPED)
    relations = [
        {
            "type": "relation",
            "from_id": names[link.head],
            "to_id": names[link.tail],
            "direction": "right",
            "labels": [link.label],
        }
        for link in answer.links
    ]
    data = {"text": text, "id": post.id, "tokens": list(post.tokens), "own_text": post.text}
    data |= {"image_id": post.image_id, "image": Path(str(post.image)).name if post.image else ""}
    return {"data": data, "annotations": [{"result": [*regions, *relations]}]}


def read(path: Path, dataset: str) -> list[Labelled]:
    """The tasks of an export, each with its last annotation (None where it has none).

    Raises:
        InputError: no such JSON, or a task that this program did not write.
    """
    try:
        tasks = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON") from error
    if not isinstance(tasks, list):
        raise InputError(f"{path} is not a list of tasks")
    return [_item(task, f"{path} task {number}") for number, task in enumerate(tasks, 1)]


def _item(task: Any, where: str) -> Labelled:
    try:
        data, annotations = task["data"], task.get("annotations") or []
        tokens = check_words(data["tokens"], where)
        ref, own, image_id = data.get("id"), data.get("own_text", ""), data.get("image_id")
        post = Post(
            text=check_text(own, where),
            tokens=tokens,
            id=None if ref is None else check_text(ref, where),
            image_id=None if image_id is None else check_text(image_id, where),
        )
        done = [a for a in annotations if not a.get("was_cancelled")]
        return Labelled(post=post, answer=_answer(done[-1]["result"], tokens, where) if done else None)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{where} is not a task that mmdemo exported: {error!r:.80}") from error


def _answer(result: list[dict[str, Any]], tokens: Sequence[str], where: str) -> Answer:
    _, places = joined(tokens)
    spans, entities = dict[str, Span](), []
    for row in result:
        if row["type"] == "labels":
            value = row["value"]
            span = spans[row["id"]] = words(places, value["start"], value["end"], where)
            for label in value["labels"]:
                if check_text(label, where) != UNTYPED:
                    text = " ".join(tokens[span[0] : span[1]])
                    entities.append(Entity(start=span[0], end=span[1], label=label, text=text))
    links = []
    for row in result:
        if row["type"] == "relation":
            head, tail = spans[row["from_id"]], spans[row["to_id"]]
            head, tail = (tail, head) if row.get("direction") == "left" else (head, tail)
            labels = [check_text(label, where) for label in row.get("labels") or []]
            links += [Link(head=head, tail=tail, label=label) for label in labels]
    return Answer(entities=tuple(entities), links=tuple(links))
