"""Tags of words as files write them -> BIO: IOB1, BIOES, BILOU, BMES, and labels without any prefix."""

import re
from collections import Counter
from collections.abc import Sequence

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.formats.shared.offsets import entity_at
from mmdemo.types import Entity, InputError, quoted

#: How other schemes say what BIO says.
_PREFIXES = {"B": "B", "I": "I", "E": "I", "L": "I", "M": "I", "S": "B", "U": "B", "W": "B"}
#: The tag of no entity; `_` and an empty list's sign stand for it in some corpora.
_NONE = ("O", "o", "_")
_TAG = re.compile(r"[BIELMSUW][-_]\S.*", re.DOTALL)
_BARE = re.compile(r"[^\W\d_][\w./ &-]*")
#: What chunkers tag, in columns that look like names' and are not.
CHUNKS = frozenset("ADJP ADVP CONJP INTJ LST NP PP PRT SBAR UCP VP".split())


def bio(tag: str, where: str) -> str:
    """A tag as BIO says it. Raises InputError where it is none."""
    if tag in _NONE:
        return "O"
    if len(tag) > 2 and tag[0] in _PREFIXES and tag[1] in "-_":
        return f"{_PREFIXES[tag[0]]}-{tag[2:]}"
    raise InputError(f"{where} has the unknown tag {quoted(tag)}")


def bare(tag: str) -> str:
    """A label without a prefix as BIO: neighbours of one label are one entity."""
    return "O" if tag in _NONE else f"I-{tag}"


def is_tag(value: object) -> bool:
    """Whether a value is a tag with a prefix, or O."""
    return isinstance(value, str) and (value in _NONE or bool(_TAG.fullmatch(value)))


def are_tags(values: Sequence[object]) -> bool:
    """Whether values are tags with prefixes, and not all of them O."""
    return all(map(is_tag, values)) and any(value not in _NONE for value in values)


def are_bare(values: Sequence[object]) -> bool:
    """Whether values are labels without prefixes, with an O among them."""
    texts = [value for value in values if isinstance(value, str)]
    return (
        len(texts) == len(values)
        and any(text in _NONE for text in texts)
        and any(text not in _NONE for text in texts)
        and all(text in _NONE or bool(_BARE.fullmatch(text)) for text in texts)
    )


def are_chunks(values: Counter[str]) -> bool:
    """Whether all labels of a column are those of chunks."""
    labels = {value[2:] for value in values if value not in _NONE}
    return bool(labels) and labels <= CHUNKS


def entities_of(
    tokens: Sequence[str], tags: Sequence[str]
) -> tuple[tuple[Entity, ...], tuple[str, ...] | None]:
    """The entities of BIO tags, and the tags where the entities cannot say them: orphan I- tags."""
    entities = tuple(entity_at((start, end), label, tokens) for start, end, label in spans_of(tags))
    return entities, tuple(tags) if list(tags) != tags_of(entities, len(tokens)) else None
