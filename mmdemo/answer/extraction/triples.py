"""The triples of many answers as one table (CSV, Parquet) and as a graph (GraphML, JSON-LD).

A row is a relation of one post with its two entities in words. In a graph an entity is a node of its own
post: whether two posts' "Ann" are one person is not for this program to say.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from mmdemo.types import InputError, quoted

COLUMNS = (
    "post",
    "head_id",
    "head",
    "head_label",
    "head_start_char",
    "head_end_char",
    "relation",
    "tail_id",
    "tail",
    "tail_label",
    "tail_start_char",
    "tail_end_char",
    "score",
    "score_with_entities",
    "symmetric",
    "contradicts",
)
VOCABULARY = "urn:mmdemo:"

Row = dict[str, Any]


def triples_of(post: str | int, answer: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of one answer, as `mmdemo.answer.extract_json` has it; none for an error."""
    entities = {entity["id"]: entity for entity in answer.get("entities", ())}
    for relation in answer.get("relations", ()):
        row: Row = {"post": str(post)}
        for side in ("head", "tail"):
            entity = entities[relation[side]]
            row |= {f"{side}_id": entity["id"], side: entity["text"], f"{side}_label": entity["label"]}
            row |= {f"{side}_{place}": entity[place] for place in ("start_char", "end_char")}
        row |= {key: relation[key] for key in ("score", "score_with_entities", "symmetric")}
        row |= {"relation": relation["label"], "contradicts": " ".join(relation["contradicts"])}
        yield {column: row[column] for column in COLUMNS}


def write_triples(file: Path, rows: Iterable[Row]) -> None:
    """Write a table or a graph, as the file's ending says.

    Raises:
        InputError: another ending, or the file cannot be written.
    """
    check_ending(file)
    try:
        WRITERS[file.suffix.lower()](file, rows)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from error


def check_ending(file: Path) -> None:
    """Raises InputError for a file that no writer is for."""
    if file.suffix.lower() not in WRITERS:
        raise InputError(f"{quoted(file.name)} is no table or graph of triples; known: {', '.join(WRITERS)}")


def _write_csv(file: Path, rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(file: Path, rows: Iterable[Row]) -> None:
    try:
        import pyarrow  # optional: mmdemo/batch/requirements.txt
        from pyarrow import parquet
    except ImportError as error:
        raise InputError("Parquet needs pyarrow: pip install -r mmdemo/batch/requirements.txt") from error
    kinds = {
        "score": pyarrow.float64(),
        "score_with_entities": pyarrow.float64(),
        "symmetric": pyarrow.bool_(),
    }
    places = {name: pyarrow.int64() for name in COLUMNS if name.endswith("_char")}
    schema = pyarrow.schema([(name, (kinds | places).get(name, pyarrow.string())) for name in COLUMNS])
    parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), file)


def _write_graphml(file: Path, rows: Iterable[Row]) -> None:
    """GraphML 1.0: a node an entity, an edge a relation. Written as it goes, to any size."""
    fields = [
        ("label", "node", "string"),
        ("type", "node", "string"),
        ("post", "node", "string"),
        ("relation", "edge", "string"),
        ("score", "edge", "double"),
        ("score_with_entities", "edge", "double"),
    ]
    with file.open("w", encoding="utf-8", errors="replace") as stream:
        xml = XMLGenerator(stream, "utf-8", short_empty_elements=True)
        xml.startDocument()
        _start(xml, "graphml", {"xmlns": "http://graphml.graphdrawing.org/xmlns"})
        for name, kind, form in fields:
            _element(xml, "key", {"id": f"{kind}_{name}", "for": kind, "attr.name": name, "attr.type": form})
        _start(xml, "graph", {"edgedefault": "directed"})
        known: set[str] = set()
        for row in rows:
            for side in ("head", "tail"):
                node = f"{row['post']}#{row[f'{side}_id']}"
                if node not in known:
                    known.add(node)
                    values = {"label": row[side], "type": row[f"{side}_label"], "post": row["post"]}
                    _with_data(xml, "node", {"id": _plain(node)}, values)
            ends = {side: _plain(f"{row['post']}#{row[f'{end}_id']}") for side, end in _ENDS}
            told = {name: row[name] for name in ("relation", "score", "score_with_entities")}
            directed = {"directed": "false" if row["symmetric"] else "true"}
            _with_data(xml, "edge", ends | directed, told)
        xml.endElement("graph")
        xml.endElement("graphml")
        xml.endDocument()


_ENDS = (("source", "head"), ("target", "tail"))
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _start(xml: XMLGenerator, name: str, attributes: dict[str, str]) -> None:
    xml.startElement(name, AttributesImpl(attributes))


def _element(xml: XMLGenerator, name: str, attributes: dict[str, str]) -> None:
    _start(xml, name, attributes)
    xml.endElement(name)


def _with_data(xml: XMLGenerator, kind: str, attributes: dict[str, str], values: Mapping[str, Any]) -> None:
    _start(xml, kind, attributes)
    for name, value in values.items():
        _start(xml, "data", {"key": f"{kind}_{name}"})
        xml.characters(_plain("" if value is None else str(value)))
        xml.endElement("data")
    xml.endElement(kind)


def _plain(text: str) -> str:
    """Without what XML cannot hold: control characters and halves of surrogate pairs."""
    return _UNFIT.sub("\ufffd", text)


def _write_json_ld(file: Path, rows: Iterable[Row]) -> None:
    """JSON-LD 1.1: a relation is an rdf:Statement with its score, an entity a node with its name."""
    nodes: dict[str, dict[str, Any]] = {}
    statements = []
    for row in rows:
        ends = {}
        for side in ("head", "tail"):
            name = f"{VOCABULARY}entity:{_iri(row['post'])}:{row[f'{side}_id']}"
            nodes[name] = {"@id": name, "name": row[side], "label": row[f"{side}_label"], "post": row["post"]}
            ends[side] = {"@id": name}
        statements.append(
            {
                "@type": "rdf:Statement",
                "subject": ends["head"],
                "predicate": {"@id": f"{VOCABULARY}relation:{_iri(row['relation'])}"},
                "object": ends["tail"],
                "score": row["score"],
                "scoreWithEntities": row["score_with_entities"],
            }
        )
    context = {
        "@vocab": VOCABULARY,
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "subject": "rdf:subject",
        "predicate": "rdf:predicate",
        "object": "rdf:object",
        "name": "http://schema.org/name",
    }
    document = {"@context": context, "@graph": [*nodes.values(), *statements]}
    with file.open("w", encoding="utf-8", errors="replace") as stream:
        json.dump(document, stream, ensure_ascii=False, indent=1)


def _iri(text: str) -> str:
    """Text as a part of a URN."""
    return quote(text.strip("/"), safe="", errors="replace")


WRITERS: dict[str, Callable[[Path, Iterable[Row]], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".graphml": _write_graphml,
    ".jsonld": _write_json_ld,
}
