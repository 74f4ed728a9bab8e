"""A tiny zoo of random weights and a small data folder, for tests that need whole ones."""

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from mmdemo.cells.card import card_json, text_trunk
from mmdemo.cells.checkpoint import cell_folder, load_trunk, save_cell, save_trunk
from mmdemo.cells.files import write_json
from mmdemo.cells.locate import SHIPPED
from mmdemo.cells.pretrained_base import DRAWN_PARTS, TRUNK_PARTS, load_base
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.jsonl import FORMAT as JSON_LINES
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.features import Fusion
from mmdemo.models.fusion.table import fusions_of
from mmdemo.models.model import MultimodalModel, build_fusion, build_model
from mmdemo.types import Ask, Post, Question

TOKENIZER = SHIPPED / "lite" / "base" / "tokenizer.json"


def lively_model(config: ModelConfig, root: Path) -> tuple[MultimodalModel, dict[str, Tensor]]:
    """A model whose trunk differs from its base and whose answers are far from chance; and the base."""
    model = build_model(config)
    load_base(root, model, config.preset)
    base = trunk_tensors(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("text_encoder.bert.encoder"):
                parameter.add_(0.02 * torch.randn_like(parameter))
            if name.startswith(DRAWN_PARTS):
                parameter.add_(0.1 * torch.randn_like(parameter))
        for head in model.heads.values():
            head.layers[-1].weight.mul_(20)
    model.fusion = lively_fusion(config)
    return model.eval(), base


def lively_fusion(config: ModelConfig) -> Fusion:
    """A fusion as training leaves it: no weight is still at its initial zero."""
    fusion = build_fusion(config)
    with torch.no_grad():
        for parameter in fusion.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return fusion.eval()


def trunk_tensors(model: MultimodalModel) -> dict[str, Tensor]:
    """Copies of the encoders' parameters by name."""
    return {n: p.detach().clone() for n, p in model.named_parameters() if n.startswith(TRUNK_PARTS)}


def build_cell(root: Path, config: ModelConfig, *, own_trunk: bool = False, bits: int = 8) -> MultimodalModel:
    """Save a lively cell, on a trunk of its own or on the shared one, and return its model."""
    model, base = lively_model(config, root)
    folder = cell_folder(root, config)
    place = "trunk.safetensors" if own_trunk else "../trunk.safetensors"
    save_trunk(folder / place, model, base, bits)
    save(root, model, config, (place,), bits)
    return model


def save(root: Path, model: MultimodalModel, config: ModelConfig, trunks: tuple[str, ...], bits: int) -> None:
    training = {"data": "random weights", "commit": "none"}
    folder = cell_folder(root, config)
    save_cell(folder, model, config, trunks=trunks, training=training, metrics={"seed": 7}, bits=bits)


def write_card(root: Path, config: ModelConfig, training: dict[str, object] | None = None) -> Path:
    """The config.json of a cell whose weights are not there; its folder."""
    folder = cell_folder(root, config)
    files = {"model.safetensors": "0" * 64, "../trunk.safetensors": "0" * 64}
    write_json(folder / "config.json", card_json(config, files, training or {}))
    return folder


def build_zoo(root: Path) -> None:
    """A cell for every dataset, model and fusion, laid out as `train.cells.zoo` does.

    Fusions stand on their model's shared trunk, but for roberta-resnet50's concat, which has its own.
    """
    (root / "lite" / "base").mkdir(parents=True)
    shutil.copy(TOKENIZER, root / "lite" / "base")
    for dataset in bundled().values():
        for model in MODELS:
            torch.manual_seed(7)
            _build_group(root, dataset, model)
        own = ModelConfig(dataset=dataset, fusion="concat", preset="tiny")
        shutil.rmtree(cell_folder(root, own))
        build_cell(root, own, own_trunk=True)


def _build_group(root: Path, dataset: Dataset, name: str) -> None:
    fusions = fusions_of(name)
    configs = [ModelConfig(dataset=dataset, model=name, fusion=f, preset="tiny") for f in fusions]
    model, base = lively_model(configs[0], root)
    trunk = cell_folder(root, configs[0]).parent / "trunk.safetensors"
    places: tuple[str, ...] = ("../trunk.safetensors",)
    if text := text_trunk(name):  # its own trunk holds the image side alone
        places = (text, *places)
        model.load_state_dict(base, strict=False)
        load_trunk((cell_folder(root, configs[0]) / text).resolve(), model)
        base = trunk_tensors(model)
        with torch.no_grad():
            for parameter in model.image_encoder.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
    save_trunk(trunk, model, base, 8)
    for config in configs:
        model.fusion = lively_fusion(config)
        save(root, model, config, places, 8)


NAMES = ("Ann", "Kevin Durant", "Nick Kyrgios", "Serena", "Tom Hanks")
PLACES = ("Oakland", "Key Largo", "Paris", "New York")


def write_data(folder: Path, posts: int, valid: int = 8) -> Path:
    """A folder with twitter2017 and mnre, where each name is a PER and each place a LOC; no photos."""
    chosen = random.Random(5)
    for name in ("twitter2017", "mnre"):
        (folder / name).mkdir(parents=True)
    for split, file, count in (("train", "train", posts), ("valid", "val", valid), ("test", "test", valid)):
        conll, rows = [], []
        for i in range(count):
            person, place = chosen.choice(NAMES).split(), chosen.choice(PLACES).split()
            verb = chosen.choice((["visits"], ["is", "back", "in"], ["loves"]))
            tokens = [*person, *verb, *place, *["!"] * chosen.randrange(3)]
            tags = _tags(person, "PER") + ["O"] * len(verb) + _tags(place, "LOC")
            tags += ["O"] * (len(tokens) - len(tags))
            lines = [f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)]
            conll.append("".join([f"IMGID:{split}{i}\n", *lines]))
            head, tail = [0, len(person)], [len(person + verb), len(person + verb + place)]
            relation = "/per/loc/place_of_residence" if verb == ["loves"] else "None"
            rows.append(
                {
                    "token": tokens,
                    "h": {"name": " ".join(person), "pos": head},
                    "t": {"name": " ".join(place), "pos": tail},
                    "img_id": f"{split}{i}.jpg",
                    "relation": relation,
                }
            )
        (folder / "twitter2017" / f"{split}.txt").write_text("\n".join(conll))
        (folder / "mnre" / f"mnre_{file}.txt").write_text("".join(f"{row}\n" for row in rows))
    return folder


def _tags(words: list[str], kind: str) -> list[str]:
    return [f"B-{kind}", *[f"I-{kind}"] * (len(words) - 1)]


def write_posts(file: Path, posts: Iterable[Post]) -> None:
    """JSON lines of posts that are asked for their entities, as a person would upload them."""
    JSON_LINES.write(file, [Question(post=post, ask=Ask()) for post in posts], find_dataset("twitter2017"))
