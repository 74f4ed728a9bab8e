"""Cells of labels that nobody bundled: they carry their record, are found, and never mix with others."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmdemo.answer.answer_json import prediction_json
from mmdemo.answer.explain import explain
from mmdemo.answer.imagine import counterfactuals
from mmdemo.answer.predict import predict
from mmdemo.cells import catalogue
from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import cell_folder, load_model
from mmdemo.cells.locate import list_cells
from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.datasets.toml_file import write_toml
from mmdemo.models.config import ModelConfig
from mmdemo.types import Ask, InputError, Pair, Post, Question
from tests.tiny import TOKENIZER, build_cell

SPACE = Dataset(
    name="space",
    title="Space <b>",
    tasks=("entities", "relations"),
    entities=(EntityType(label="ship"), EntityType(label="مدينة")),
    relations=(RelationType(label="lands-in", head=("ship",), tail=("مدينة",)),),
    none="nothing",
)
TEXT = "Falcon lands in  Cape Town"
CONFIG = ModelConfig(dataset=SPACE, preset="tiny")


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    (tmp_path / "lite" / "base").mkdir(parents=True)
    shutil.copy(TOKENIZER, tmp_path / "lite" / "base")
    torch.manual_seed(5)
    build_cell(tmp_path, CONFIG)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path))
    return tmp_path


def asked(*pairs: Pair) -> Question:
    tokens = tuple(TEXT.split())
    return Question(post=Post(text=TEXT, tokens=tokens), ask=Ask(relations=pairs))


def test_its_cells_are_listed_with_its_own_record(root):
    ready = [cell for cell in list_cells(root, "tiny") if cell.problem is None]
    assert [(cell.name, cell.dataset) for cell in ready] == [
        (f"tiny/space/{CONFIG.model}/{CONFIG.fusion}", SPACE)
    ]
    assert catalogue.dataset_named("space") == SPACE
    assert load_card(ready[0].folder).config == CONFIG


def test_a_cell_of_both_tasks_answers_both(root):
    cell = catalogue.find_cell("space", CONFIG.model, CONFIG.fusion, "tiny")
    pair = Pair(head=(0, 1), tail=(3, 5))
    answer = predict(asked(pair), cell)
    assert answer.entities and {e.label for e in answer.entities} <= set(SPACE.entity_labels)
    assert [r.label for r in answer.relations if r.pair == pair] and len(answer.relations) == 2
    alone = predict(replace(asked(pair), ask=Ask(entities=False, relations=(pair,))), cell)
    assert alone.entities == () and alone.relations == answer.relations
    told = prediction_json(answer)
    assert told["dataset"] == "space" and told["offsets"] == [[0, 6], [7, 12], [13, 15], [17, 21], [22, 26]]
    assert (told["tail"]["start_char"], told["tail"]["end_char"]) == (17, 26)
    for entity in told["entities"]:
        assert TEXT[entity["start_char"] : entity["end_char"]].split() == entity["text"].split()
    assert json.loads(json.dumps(told)) == told
    assert explain(asked(pair), cell).views and counterfactuals(asked(pair), cell, masked=[0])


def test_all_relations_are_those_that_the_schema_allows(root):
    cell = catalogue.find_cell("space", CONFIG.model, CONFIG.fusion, "tiny")
    answer = predict(replace(asked(), ask=Ask(relations="all")), cell)
    kinds = {(e.start, e.end): e.label for e in answer.entities}
    ends = {(kinds[r.head], kinds[r.tail]) for r in answer.relations}
    assert ends <= {("ship", "مدينة")}


def test_a_folder_is_taken_by_its_record_and_a_namesake_with_other_labels_is_refused(root, tmp_path):
    own = tmp_path / "data"
    own.mkdir()
    (own / "dataset.toml").write_text(write_toml(SPACE), encoding="utf-8")
    assert catalogue.find_cell(str(own), CONFIG.model, CONFIG.fusion, "tiny").problem is None
    other = replace(
        SPACE, entities=(EntityType(label="ship"), EntityType(label="moon")), relations=SPACE.relations
    )
    other = replace(other, relations=(RelationType(label="lands-in", head=("ship",), tail=("moon",)),))
    (own / "dataset.toml").write_text(write_toml(other), encoding="utf-8")
    with pytest.raises(InputError, match="names itself 'space', and so does a dataset with other labels"):
        catalogue.dataset_named(str(own))
    found = catalogue.find_cell(other, CONFIG.model, CONFIG.fusion, "tiny")
    assert "two datasets share the name 'space'" in str(found.problem)
    with pytest.raises(InputError, match="two datasets share the name"):
        catalogue.load(found)


def test_a_bundled_name_with_other_labels_is_refused(root):
    name = next(iter(bundled()))
    stranger = ModelConfig(dataset=replace(SPACE, name=name), preset="tiny")
    build_cell(root, stranger)
    (found,) = [c for c in list_cells(root, "tiny") if c.folder == cell_folder(root, stranger)]
    assert found.dataset == bundled()[name] and "was trained for other labels" in str(found.problem)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "labels",
            {"entities": ["O"], "relations": ["nothing", "lands-in"]},
            "lists other labels than the record",
        ),
        ("labels", ["O"], "lists other labels than the record"),
        ("dataset", {"name": "space"}, "tasks"),
        ("dataset", "space", "not a table"),
        ("dataset", ..., "has no record of its dataset, and 'space' is not a known one"),
    ],
)
def test_a_record_and_labels_that_contradict_are_refused(root, key, value, sentence):
    file = cell_folder(root, CONFIG) / "config.json"
    stated = {**json.loads(file.read_text(encoding="utf-8")), key: value}
    file.write_text(json.dumps({k: v for k, v in stated.items() if v is not ...}), encoding="utf-8")
    with pytest.raises(InputError, match=sentence) as caught:
        load_card(file.parent)
    assert "\n" not in str(caught.value) and "config.json" in str(caught.value)


def test_a_name_without_a_record_never_opens_a_folder(root, tmp_path):
    (tmp_path / "dataset.toml").write_text(write_toml(SPACE), encoding="utf-8")
    file = cell_folder(root, CONFIG) / "config.json"
    stated = json.loads(file.read_text(encoding="utf-8"))
    del stated["dataset"]
    stated["config"]["dataset"] = str(tmp_path)
    file.write_text(json.dumps(stated), encoding="utf-8")
    with pytest.raises(InputError, match="is not a known one"):
        load_card(file.parent)


def test_a_head_saved_before_there_was_one_a_task_loads(root):
    from safetensors.torch import save_file

    from mmdemo.cells.files import file_hash, read_tensors

    dataset = next(d for d in bundled().values() if d.tasks == ("entities",))
    config = ModelConfig(dataset=dataset, preset="tiny")
    before = build_cell(root, config, bits=16)
    folder = cell_folder(root, config)
    file = folder / "model.safetensors"
    tensors, _ = read_tensors(file)
    old = {name.replace("heads.entities.", "head."): value for name, value in tensors.items()}
    assert old.keys() != tensors.keys()
    save_file(old, file, {"bits": "16"})
    stated = json.loads((folder / "config.json").read_text())
    del stated["dataset"]
    stated |= {"format": 1, "labels": list(dataset.tags)}
    stated["files"]["model.safetensors"] = file_hash(file)
    (folder / "config.json").write_text(json.dumps(stated))
    after = load_model(root, folder, load_card(folder))
    for name, value in after.heads.state_dict().items():
        torch.testing.assert_close(value, before.heads.state_dict()[name], rtol=1e-2, atol=1e-3)
