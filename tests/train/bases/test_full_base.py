"""Published weights into a base folder: from local copies, from the Hub at a commit; and what is refused."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from mmdemo.cells.pretrained_base import load_base
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import MODELS, ModelConfig, fusions_of
from mmdemo.models.encoders import published as published_encoders
from mmdemo.models.encoders.published import PUBLISHED, read_sides
from mmdemo.models.model import build_model
from mmdemo.types import InputError, Pair
from tests.hub_standin import running_hub, use
from tests.shrunk import SMALL, publish, shrink
from train.bases.full_base import Origin, build_full_base, ensure_full_base


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        yield publish(tmp_path_factory.mktemp("published"), patch)


@pytest.fixture
def weights(published, tmp_path) -> Path:
    """A folder for ``--weights-root``, to be damaged at will."""
    return shutil.copytree(published, tmp_path / "weights")


def config_of(model: str) -> ModelConfig:
    return ModelConfig(dataset=find_dataset("mnre"), model=model, fusion=fusions_of(model)[0], preset="full")


def build(tmp_path: Path, model: str, weights: Path | None, init: str = "published") -> Path:
    return build_full_base(tmp_path / "out", config_of(model), Origin(weights_root=weights, init=init))


def test_a_base_names_its_sources_and_their_licences(weights, tmp_path):
    stated = json.loads((build(tmp_path, "clip-bert", weights) / "base.json").read_text())
    assert stated["init"] == "published"
    assert stated["sources"]["text"]["model"] == "google-bert/bert-base-uncased"
    assert stated["sources"]["text"]["licence"] == "Apache-2.0"
    assert set(stated["sources"]["image"]) == {"model", "licence", "copied model.safetensors"}
    assert str(tmp_path) not in json.dumps(stated)  # it may be published


@pytest.mark.parametrize("model", MODELS)
def test_random_ones_of_the_same_size_stand_in(weights, tmp_path, model):
    folder = build(tmp_path, model, None, "random")
    built = build_model(config_of(model))
    load_base(tmp_path / "out", built, "full")
    published = build_full_base(tmp_path / "other", config_of(model), Origin(weights_root=weights))
    for side in ("text", "image"):
        ours, theirs = (load_file(f / f"{side}.safetensors") for f in (folder, published))
        assert {n: v.shape for n, v in ours.items()} == {n: v.shape for n, v in theirs.items()}
        assert any(not torch.equal(ours[n], theirs[n]) for n in ours)


def test_random_and_published_weights_are_not_mixed_up(weights, tmp_path):
    folder = build(tmp_path, "vilt", None, "random")
    assert ensure_full_base(tmp_path / "out", config_of("vilt"), Origin(init="random")) == folder
    with pytest.raises(InputError, match="holds random weights; remove it"):
        ensure_full_base(tmp_path / "out", config_of("vilt"), Origin(weights_root=weights))


def test_robertas_words_keep_their_places(weights, tmp_path):
    build(tmp_path, "roberta-resnet50", weights)
    reader = post_encoder(config_of("roberta-resnet50"), tmp_path / "out").reader
    words = ["Kevin", "Oakland", "\u200d", "caf\u00e9", "</s>", "Oakland"]
    text = reader.read(words, Pair(head=(1, 2), tail=(0, 1)))
    names = [reader.tokenizer.id_to_token(number) for number in text.ids]
    assert names[0] == "<s>" and names[-1] == "</s>"
    assert [names[place] for place in text.markers] == [
        "madeupword0000",
        "madeupword0001",
        "madeupword0002",
        "<unk>",
    ]
    assert [names[text.markers[i] + 1] for i in (0, 2)] == [names[text.first[w]] for w in (1, 0)]
    # A space stands before every word, the first one too: both copies of a word are the same pieces.
    assert all(names[place].startswith("\u0120") for place in text.first)
    assert names[text.first[1]] == names[text.first[5]]
    assert "</s>" not in names[1:-1]  # a word that looks like the end is only text
    decoded = reader.tokenizer.decode(list(text.ids), skip_special_tokens=False)
    assert " caf\u00e9 </s> Oakland" in decoded


def test_old_names_of_norms_are_understood(weights, tmp_path):
    """BERT's file on the Hub still calls them gamma and beta."""
    before = load_file(build(tmp_path, "bert-resnet50", weights) / "text.safetensors")
    file = weights / "bert-base-uncased" / "model.safetensors"
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    renamed = {}
    for name, value in load_file(file).items():
        for new, old in names.items():
            name = name.replace(new, old)
        renamed[name] = value
    save_file(renamed, file, {"format": "pt"})
    after = load_file(build(tmp_path, "bert-resnet50", weights) / "text.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_hub_is_read_at_the_pinned_commit(weights, tmp_path, monkeypatch):
    local = load_file(build(tmp_path, "blip", weights) / "text.safetensors")
    files = {f.name: f.read_bytes() for f in (weights / "blip-vqa-base").iterdir()}
    with running_hub() as hub:
        use(hub, tmp_path / "cache", monkeypatch)
        commit = hub.add("models/Salesforce/blip-vqa-base", files)
        hub.add("models/Salesforce/blip-vqa-base", {"model.safetensors": b"another day's weights"})
        monkeypatch.setitem(PUBLISHED, "blip-vqa-base", replace(PUBLISHED["blip-vqa-base"], revision=commit))
        folder = build(tmp_path, "blip", None)
        stated = json.loads((folder / "base.json").read_text())
        assert stated["sources"]["text"]["revision"] == commit
        assert all(torch.equal(local[n], v) for n, v in load_file(folder / "text.safetensors").items())
        assert not any("/main/" in request for request in hub.requests if "safetensors" in request)
        gone = replace(PUBLISHED["blip-vqa-base"], revision="0" * 40)
        monkeypatch.setitem(PUBLISHED, "blip-vqa-base", gone)
        with pytest.raises(InputError, match="the weights Salesforce/blip-vqa-base cannot be read"):
            read_sides("blip", None)


def test_torchvisions_file_is_read_from_its_own_cache(weights, tmp_path, monkeypatch):
    local = read_sides("bert-resnet50", weights)[1]
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    shutil.copytree(weights / "resnet50", tmp_path / "hub" / "checkpoints")
    found = published_encoders.resnet_weights(None)
    assert found.keys() == local.keys() and all(torch.equal(found[n], local[n]) for n in local)


# ---------------------------------------------------------------- what is refused


class Evil:
    def __reduce__(self):
        return print, ("this ran",)


def test_vilt_is_not_read_from_a_moving_branch(weights):
    with pytest.raises(InputError, match="no weights in safetensors on the Hub: give --weights-root"):
        read_sides("vilt", None)


@pytest.mark.parametrize("model", ["roberta-resnet50", "blip", "vilt"])
def test_a_pickle_is_refused_by_name(weights, model):
    folder = weights / MODELS[model].sources.text
    torch.save({"evil": Evil()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        InputError, match=rf"{folder} holds its weights as a pickle alone \(pytorch_model.bin\)"
    ):
        read_sides(model, weights)


def test_what_is_missing_or_damaged_is_named(weights, tmp_path):
    folder = weights / "bert-base-uncased"
    (folder / "tokenizer.json").rename(folder / "elsewhere.json")
    with pytest.raises(InputError, match=f"{folder} has no tokenizer.json"):
        build(tmp_path, "clip-bert", weights)
    assert not (tmp_path / "out" / "full" / "base" / "clip-bert" / "base.json").exists()
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=f"the weights {folder} cannot be read"):
        read_sides("clip-bert", weights)
    file.unlink()
    with pytest.raises(InputError, match=f"{folder} holds no weights"):
        read_sides("clip-bert", weights)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="no folder bert-base-uncased with a copy of google-bert/bert-base"):
        read_sides("clip-bert", weights)
    with pytest.raises(InputError, match="--weights-root .* is no folder"):
        Origin(weights_root=folder)
    with pytest.raises(InputError, match="--init zero: known are published, random"):
        Origin(init="zero")


def test_another_models_weights_do_not_pass(weights, tmp_path):
    shutil.rmtree(weights / "bert-base-uncased")
    shutil.copytree(weights / "vilt-b32-mlm", weights / "bert-base-uncased")
    with pytest.raises(InputError, match="lack what BertModel needs|cannot be read"):
        read_sides("bert-resnet50", weights)
    shutil.rmtree(weights / "bert-base-uncased")
    larger = BertModel(BertConfig(**{**SMALL, "num_hidden_layers": 3}, vocab_size=30522))
    larger.save_pretrained(weights / "bert-base-uncased")
    shutil.copy(weights / "vilt-b32-mlm" / "tokenizer.json", weights / "bert-base-uncased")
    with pytest.raises(InputError, match=r"text side in .* do not fit: bert.encoder.layer.2"):
        build(tmp_path, "bert-resnet50", weights)


def test_resnets_file_is_what_its_name_says(weights):
    file = next((weights / "resnet50").iterdir())
    torch.save({"evil": Evil()}, file)
    with pytest.raises(InputError, match="damaged: its hash is not the one in its name"):
        read_sides("bert-resnet50", weights)
    file.unlink()
    with pytest.raises(InputError, match="resnet50-.*pth are missing"):
        read_sides("bert-resnet50", weights)


def test_a_pickle_that_would_run_code_does_not(weights, monkeypatch, capsys):
    file = next((weights / "resnet50").iterdir())
    torch.save({"evil": Evil()}, file)
    monkeypatch.setattr(published_encoders, "_sha256", lambda path: path.stem.rpartition("-")[2])
    with pytest.raises(InputError, match="cannot be read"):
        read_sides("bert-resnet50", weights)
    assert capsys.readouterr().out == ""
