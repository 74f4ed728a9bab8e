"""``python -m mmdemo extract``."""

import shlex
from typing import Annotated, Any

import typer

from mmdemo.commands.options import AsJson, Description, Photo, Preset, Text, described, told
from mmdemo.datasets.schema import readable
from mmdemo.terminal import say, say_json

EXAMPLE = "Lauren Bacall and Humphrey Bogart on the set of Key Largo"

HELP = told(
    "Find the entities of a post and the relations between them.",
    "Marks in the text ask about their pair alone, and there may be several: [E1]…[/E1] is a head and "
    "[E2]…[/E2] a tail.",
    f"Example: python -m mmdemo extract --text {shlex.quote(EXAMPLE)}",
)

CellName = Annotated[str | None, typer.Option(help="preset/dataset/model/fusion; the best if not said.")]


def extract(
    text: Text,
    photo: Photo = None,
    entities: CellName = None,
    relations: CellName = None,
    description: Description = None,
    preset: Preset = "lite",
    as_json: AsJson = False,
    with_none: Annotated[
        bool, typer.Option("--with-none", help="Tell pairs without a relation too.")
    ] = False,
    words: Annotated[bool, typer.Option("--words", help="Tell each word's tag and its probability.")] = False,
) -> None:
    """Answer one post with entities and relations, and print both."""
    from mmdemo.answer.extract_json import extraction_json
    from mmdemo.answer.extraction.in_python import extract as answer_of

    found = answer_of(
        text,
        photo,
        entities=entities,
        relations=relations,
        photo_words=described(description),
        with_none=with_none,
        with_words=words,
        preset=preset,
    )
    answer = extraction_json(found)
    say_json(answer) if as_json else say(*lines(answer, found.none_label))


def lines(answer: dict[str, Any], none_label: str = "None") -> list[str]:
    """An answer for a terminal: words if asked for, entities, an arc a line, then notes and who answered.

    An arc's percentage is that it and both of its entities are right.
    """
    texts = {entity["id"]: entity["text"] for entity in answer["entities"]}
    told = [f"{_score(word['score'])}  {word['tag']:7} {word['text']}" for word in answer.get("words", [])]
    told += [f"{_score(e['score'])}  {e['label'] or 'unread':7} {e['text']}" for e in answer["entities"]]
    told += ["no entity found"] if not answer["entities"] else []
    for relation in answer["relations"]:
        told.append(f"{_score(relation['score_with_entities'])}  {_arc(relation, texts)}")
    pairs = answer["pairs"]
    if pairs["asked"] and not answer["relations"]:
        told.append("no relation found")
    told += [
        f"{_score(pair['score'])}  {texts[pair['head']]} : {texts[pair['tail']]}  {none_label}"
        for pair in answer.get("none", [])
    ]
    if pairs["asked"]:
        told.append(f"{pairs['without_relation']} of {pairs['answered']} pairs without a relation")
    told += [f"note: {warning}" for warning in answer["warnings"]]
    by = f"entities by {answer['entities_by']}"
    return [*told, by + (f", relations by {answer['relations_by']}" if answer["relations_by"] else "")]


def _score(score: float | None) -> str:
    return "     -" if score is None else f"{score:6.1%}"


def _arc(relation: dict[str, Any], texts: dict[str, str]) -> str:
    """``Lauren Bacall -couple- Humphrey Bogart``; with an arrow's head where the direction counts."""
    end = "-" if relation["symmetric"] else "->"
    against = f"  (contradicts {', '.join(relation['contradicts'])})" if relation["contradicts"] else ""
    name = f"{relation['id']}: " if relation["contradicts"] else ""
    head, tail = texts[relation["head"]], texts[relation["tail"]]
    return f"{name}{head} -{readable(relation['label'])}{end} {tail}{against}"
