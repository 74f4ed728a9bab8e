"""The checkpoints that the project ships: there, whole, small enough, and as good as the issue asks."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from mmdemo.answer import predict as answering
from mmdemo.cells import catalogue
from mmdemo.cells.catalogue import entries
from mmdemo.cells.locate import SHIPPED, pickable_cells
from mmdemo.cells.zoo import Zoo
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.formats.reading import with_photos
from mmdemo.formats.table import SOURCES, find_format
from mmdemo.models.batch import collate
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.table import FUSIONS, fusions_of
from mmdemo.photo.lookup import photo_lookup
from mmdemo.posts.question import read_post
from mmdemo.types import Ask

READY = [cell for cell in pickable_cells(SHIPPED) if cell.problem is None]
#: What docs/results.md gives figures of: a section a dataset, a row a cell.
RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results.md"
CELL = re.compile(r"^\| ([\w-]+) \| [*]*([\w-]+)[*]*(?: \([^|]*\))? \| \d+ \| [0-9a-f]{7} \|", re.MULTILINE)

#: Least test figures of the study's main model with the posts' own photos: (path in the scores, value).
FLOORS = {
    "twitter2015": ((("entity", "f1"), 0.725), (("token", "accuracy"), 0.945)),
    "twitter2017": ((("entity", "f1"), 0.840), (("token", "accuracy"), 0.960)),
    "mnre": ((("micro_without_none", "f1"), 0.610), (("accuracy",), 0.730)),
}


@pytest.fixture(autouse=True)
def shipped(monkeypatch):
    monkeypatch.delenv("MMDEMO_CHECKPOINTS", raising=False)


# Of the whole module: a cell's tests follow one another, and it is loaded once.
@pytest.fixture(scope="module", params=READY, ids=lambda cell: cell.name)
def cell(request):
    return request.param


def test_what_was_promised_is_ready():
    _, *sections = re.split(r"^## ", RESULTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    promised = {
        f"{preset}/{dataset}/{model}/{fusion}"
        for dataset in bundled()
        for preset, title in (("lite", dataset), ("base", f"{dataset} (base)"))
        for section in sections
        if section.startswith(f"{title}\n")
        for model, fusion in CELL.findall(section)
    }
    assert promised and {cell.name for cell in READY} == promised


def test_what_ships_has_no_holes():
    """Every dataset that ships has every model that ships, with all fusions of the zoo's that ship.

    Fusions outside the zoo's plan, as text alone, may ship of a single row. So of each preset that ships.
    """
    for preset in {cell.preset for cell in READY}:
        own = [cell for cell in READY if cell.preset == preset]
        datasets, models, fusions = (
            {getattr(cell, part) for cell in own} for part in ("dataset", "model", "fusion")
        )
        planned = [cell for cell in own if cell.fusion in fusions_of(cell.model)]
        whole = {(d.name, m, f) for d in datasets for m in models for f in fusions_of(m) if f in fusions}
        assert {(cell.dataset.name, cell.model, cell.fusion) for cell in planned} == whole


@pytest.mark.parametrize(("preset", "most"), [("lite", 200e6), ("base", 87e6)])
def test_the_whole_zoo_is_small(preset, most):
    files = [file for file in (SHIPPED / preset).rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= most
    assert {file.suffix for file in files} <= {".safetensors", ".json", ".txt"}


def test_a_cell_says_where_it_comes_from(cell):
    card = catalogue.describe(cell)
    assert card["runs"] == MODELS[cell.model].sides[cell.preset].runs  # never only the report's name
    assert card["training"]["data"] == "caption-matched stand-in photos"
    assert card["training"]["limit"] is None
    assert card["training"]["command"].startswith("python -m train ")
    metrics = card["metrics"]
    assert isinstance(metrics["seed"], int) and metrics["commit"] and metrics["command"]
    assert {"photo", "none"} <= metrics["splits"]["valid"].keys()
    assert {"photo", "blank", "shuffled", "none"} <= metrics["splits"]["test"].keys()
    assert metrics["calibration"]["fitted_on"] == "valid"


def test_a_cell_is_as_good_as_asked(cell):
    test = catalogue.describe(cell)["metrics"]["splits"]["test"]
    assert test["posts"] == {"twitter2015": 3257, "twitter2017": 723, "mnre": 1614}[cell.dataset.name]
    for path, least in FLOORS[cell.dataset.name] if cell.model == "roberta-resnet50" else ():
        value = test["photo"]
        for key in path:
            value = value[key]
        assert value >= least, path


def test_cells_on_one_trunk_share_its_encoders_and_answer_as_if_alone():
    cells = {cell.name.removeprefix("lite/"): cell for cell in READY}
    names = [f"{d}/roberta-resnet50/{f}" for d in ("twitter2017", "mnre") for f in ("film", "concat")]
    shared = Zoo(SHIPPED)
    film, concat, other_film, other_concat = (shared.load(cells[name]).model for name in names)
    assert film.text_encoder is concat.text_encoder and film.image_encoder is concat.image_encoder
    assert other_film.text_encoder is other_concat.text_encoder
    assert film.text_encoder is not other_film.text_encoder and film.fusion is not concat.fusion
    alone = Zoo(SHIPPED).load(cells[names[1]])
    post = read_post("Kevin Durant enters Oracle Arena in Oakland", find_dataset("twitter2017"))
    batch = collate([alone.encoder.encode(post.post, Image.new("RGB", (64, 64), "red"))])
    with torch.inference_mode():
        assert torch.equal(concat(batch).logits, alone.model(batch).logits)


def test_a_plain_post_is_understood(cell):
    if cell.dataset.has_relations:
        text = "[E1] Oakland [/E1] , [E2] California [/E2] tonight"
        answer = answering.predict(read_post(text, cell.dataset), cell)
        assert "/loc/loc/contain" in [relation.label for relation in answer.relations[:2]]
    else:
        text = "Kevin Durant enters Oracle Arena in Oakland"
        answer = answering.predict(read_post(text, cell.dataset), cell)
        found = {(e.text, e.label): e.score for e in answer.entities}
        assert found[("Kevin Durant", "PER")] > 0.6 and ("Oakland", "LOC") in found
        assert all(0 < score <= 1 for score in found.values())
    assert not any("untrained" in warning for warning in answer.warnings)


def test_real_tweets_with_their_photos(cell, shared_data):
    """Ten of the 50 MNRE rows with real photos: each is answered, with its photo and without a complaint."""
    folder = shared_data / "real_pairs"
    dataset = find_dataset("mnre")
    lookup = photo_lookup(folder / "photos", None, dataset, "test")
    posts = with_photos(find_format("mnre", SOURCES).read(folder / "mnre.jsonl", dataset), lookup)
    assert len(posts) == 50 and all(post.post.image for post in posts)
    if cell.dataset.has_entities:
        posts = [replace(post, ask=Ask()) for post in posts]
    answers = [answering.predict(post, cell) for post in posts[::5]]
    sees = FUSIONS[cell.fusion].reads != "text"
    assert all(answer.image_used == sees and answer.warnings == () for answer in answers)
    if cell.dataset.has_relations:
        assert len({answer.relations[0].label for answer in answers}) > 1
    else:
        assert sum(bool(answer.entities) for answer in answers) >= 5


def test_a_cells_size_counts_every_trunk_that_it_reads():
    """clip-bert reads two: BERT's, and its own."""
    size_of = {entry.cell.name: entry.size for entry in entries()}
    bert, clip = (size_of[f"lite/mnre/{model}/film"] for model in ("bert-resnet50", "clip-bert"))
    assert clip > bert > 5_000_000
