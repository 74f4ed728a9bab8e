"""A batch of extractions: a line a post, and all triples as a table and as a graph."""

import csv
import json
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.answer.extract_json import extraction_json
from mmdemo.answer.extraction.in_python import extract
from mmdemo.answer.extraction.triples import COLUMNS, triples_of, write_triples
from mmdemo.types import InputError

NAMES = ("tiny/twitter2017/roberta-resnet50/film", "tiny/mnre/roberta-resnet50/film")
TEXTS = [
    "[E1] Ann [/E1] loves [E2] Bob & <Co> [/E2]",
    "Kevin Durant enters Oracle Arena",
    " ",
    "[E1] Ann [/E1]",
]
XMLNS = "{http://graphml.graphdrawing.org/xmlns}"


@pytest.fixture
def call(tiny_zoo, monkeypatch, tmp_path):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    lines = [json.dumps({"id": f"p{i}", "text": text}) for i, text in enumerate(TEXTS)]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines))

    def run(*options: str) -> list[dict]:
        places = ["--input", str(tmp_path / "posts.jsonl"), "--output", str(tmp_path / "out.jsonl")]
        CliRunner().invoke(app, ["batch", "--preset", "tiny", *places, *options], catch_exceptions=False)
        return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]

    return run


def test_each_line_is_what_extract_says_and_the_job_goes_on(call):
    options = ("--extract", "--entities", NAMES[0], "--relations", NAMES[1])
    lines = call(*options)
    assert [line["id"] for line in lines] == ["p0", "p1", "p2", "p3"]
    assert {line["checkpoint"] for line in lines} == {" + ".join(NAMES)}
    assert "the text is empty" in lines[2]["error"] and "lack a tail" in lines[3]["error"]
    for line, text in zip(lines[:2], TEXTS, strict=False):
        alone = extraction_json(extract(text, entities=NAMES[0], relations=NAMES[1]))
        assert [e["id"] for e in line["entities"]] == [e["id"] for e in alone["entities"]]
        for kind in ("entities", "relations"):
            assert [one["label"] for one in line[kind]] == [one["label"] for one in alone[kind]]
            scores = [one["score"] for one in alone[kind]]
            assert [one["score"] for one in line[kind]] == pytest.approx(scores, abs=1e-5)
    assert call(*options) == lines, "it goes on with the lines that are there"


def test_options_that_do_not_fit_are_one_sentence(call):
    with pytest.raises(InputError, match="belong to --extract"):
        call("--dataset", "twitter2017", "--triples", "x.csv")
    with pytest.raises(InputError, match="in place of --dataset"):
        call("--extract", "--dataset", "twitter2017")
    with pytest.raises(InputError, match="'x.docx' is no table or graph"):
        call("--extract", "--triples", "x.docx")


def answer() -> dict:
    entity = {"label": "PER", "start_char": 0, "end_char": 3}
    couple = {"score": 0.8, "score_with_entities": 0.5, "symmetric": True, "contradicts": []}
    return {
        "entities": [
            {"id": "e0", "text": "Ann \x0b", **entity},
            {"id": "e1", "text": "Bob & <Co>", **entity},
        ],
        "relations": [{"head": "e0", "tail": "e1", "label": "/per/per/couple", **couple}],
    }


def test_one_table_holds_all_triples(tmp_path):
    rows = [row for post in ("a", 2) for row in triples_of(post, answer())]
    write_triples(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(newline="") as stream:
        told = list(csv.DictReader(stream))
    assert tuple(told[0]) == COLUMNS and [row["post"] for row in told] == ["a", "2"]
    assert told[0]["tail"] == "Bob & <Co>" and float(told[0]["score"]) == 0.8
    parquet = pytest.importorskip("pyarrow.parquet")
    write_triples(tmp_path / "t.parquet", rows)
    assert parquet.read_table(tmp_path / "t.parquet").to_pylist() == rows


def test_graphml_has_a_node_an_entity_and_an_edge_a_relation(tmp_path):
    write_triples(tmp_path / "t.graphml", triples_of("a", answer()))
    graph = ElementTree.parse(tmp_path / "t.graphml").getroot().find(f"{XMLNS}graph")
    assert [node.get("id") for node in graph.iter(f"{XMLNS}node")] == ["a#e0", "a#e1"]
    (edge,) = graph.iter(f"{XMLNS}edge")
    assert (edge.get("source"), edge.get("target"), edge.get("directed")) == ("a#e0", "a#e1", "false")
    assert [data.text for data in edge] == ["/per/per/couple", "0.8", "0.5"]
    networkx = pytest.importorskip("networkx")
    directed = [{**row, "symmetric": False} for row in triples_of("a", answer())]
    write_triples(tmp_path / "one.graphml", directed)
    read = networkx.read_graphml(tmp_path / "one.graphml")
    assert read.edges["a#e0", "a#e1"]["relation"] == "/per/per/couple"
    assert read.nodes["a#e1"]["label"] == "Bob & <Co>"


def test_json_ld_states_each_relation(tmp_path):
    write_triples(tmp_path / "t.jsonld", triples_of("a b", answer()))
    document = json.loads((tmp_path / "t.jsonld").read_text())
    *nodes, statement = document["@graph"]
    assert [node["name"] for node in nodes] == ["Ann \x0b", "Bob & <Co>"]
    assert statement["subject"]["@id"] == nodes[0]["@id"] == "urn:mmdemo:entity:a%20b:e0"
    assert statement["predicate"]["@id"] == "urn:mmdemo:relation:per%2Fper%2Fcouple"


def test_a_batch_writes_its_triples(call, tmp_path):
    cells = ("--entities", NAMES[0], "--relations", NAMES[1])
    lines = call("--extract", *cells, "--triples", str(tmp_path / "t.csv"))
    with (tmp_path / "t.csv").open(newline="") as stream:
        told = list(csv.DictReader(stream))
    wanted = [one["label"] for line in lines for one in line.get("relations", ())]
    assert [row["relation"] for row in told] == wanted
