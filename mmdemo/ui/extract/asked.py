"""What the Extract tab asks, and an earlier answer as a browser sends it back: checked like any input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mmdemo.answer.extraction.defaults import CellPair
from mmdemo.posts.pairs import read_whole
from mmdemo.types import Ask, Entity, InputError, Pair, PhotoWords, Question
from mmdemo.ui.extract.pickers import chosen_cells
from mmdemo.ui.photo import panel

MOST_ENTITIES = 400


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A post, and who answers; ``stated`` are its entities where a person mended them."""

    entities: str | None
    relations: str | None
    text: str
    photo: str | None
    words: tuple[PhotoWords, ...] = ()
    stated: tuple[Entity, ...] | None = None

    def cells(self) -> CellPair:
        """The picked cells. Raises InputError where they cannot answer."""
        return chosen_cells(self.entities, self.relations)

    def question(self, cells: CellPair) -> Question:
        """The post as the entity cell reads it. Raises InputError as `read_whole`."""
        return read_whole(self.text, cells.entities.dataset.words, self.photo, self.words)


def read_form(values: Sequence[Any]) -> Asked:
    """What the form's inputs hold. Raises InputError for words that the photo's panel cannot hold."""
    entities, relations, text, photo, said = values
    whole = (text or "").encode("utf-8", "replace").decode("utf-8")  # half an emoji cannot go back as JSON
    return Asked(
        entities=entities, relations=relations, text=whole, photo=photo, words=panel.stated(said, photo)
    )


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An answer that is on screen: its post, who gave it, and its entities by id."""

    text: str
    entities_by: str
    relations_by: str | None
    entities: dict[str, Entity]
    mended: bool

    def entity(self, id: object) -> Entity:
        """Raises InputError where there is none of this id."""
        if not isinstance(id, str) or id not in self.entities:
            raise InputError("this entity is not there any more; press Extract again")
        return self.entities[id]

    def asked(self, form: Asked, stated: Sequence[Entity] | None) -> Asked:
        """The same post and cells, with these entities; photo and its words as they are now."""
        return replace(
            form,
            text=self.text,
            entities=self.entities_by,
            relations=self.relations_by,
            stated=None if stated is None else tuple(stated),
        )


def read_kept(value: object) -> Kept:
    """An answer's JSON as the browser holds it. Raises InputError for none, or what no answer holds."""
    if not isinstance(value, dict):
        raise InputError("there is no answer yet; press Extract first")
    text, by, rows = value.get("text"), value.get("entities_by"), value.get("entities")
    relations_by = value.get("relations_by")
    named = isinstance(by, str) and isinstance(relations_by, str | None)
    if not named or not isinstance(text, str) or not isinstance(rows, list) or len(rows) > MOST_ENTITIES:
        raise InputError("the answer that was sent back is none of ours; press Extract again")
    return Kept(
        text=text,
        entities_by=str(by),
        relations_by=relations_by,
        entities=dict(map(_entity, rows)),
        mended=value.get("mended") is True,
    )


def _entity(row: object) -> tuple[str, Entity]:
    """(id, entity) of a row; its span and label are checked where the post is read."""
    values = [row.get(key) for key in ("id", "start", "end", "label")] if isinstance(row, dict) else []
    match values:
        case [str() as id, int() as start, int() as end, str() | None as label]:
            score = row.get("score") if isinstance(row, dict) else None
            if score is not None and not isinstance(score, int | float):
                raise InputError("the score of an entity is not a number")
            return id, Entity(start=start, end=end, label=label or "", score=score)
    raise InputError("an entity of the answer that was sent back is not whole; press Extract again")


def one_pair(question: Question, head: Entity, tail: Entity) -> Question:
    """The same post, asked about one pair alone."""
    pair = Pair(head=(head.start, head.end), tail=(tail.start, tail.end))
    if pair.head == pair.tail:
        raise InputError("choose two entities of different words; a relation joins two")
    return replace(question, ask=Ask(entities=True, relations=(pair,)))
