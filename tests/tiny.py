"""A tiny zoo of random weights and a small data folder, for tests that need whole ones."""

import random
import shutil
from pathlib import Path

import torch
from torch import Tensor

from mmdemo.base import TRUNK_PARTS, load_base
from mmdemo.checkpoint import cell_folder, save_cell, save_trunk
from mmdemo.config import DATASETS, FUSIONS, ModelConfig
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.zoo import SHIPPED

TOKENIZER = SHIPPED / "lite" / "base" / "tokenizer.json"


def lively_model(config: ModelConfig, root: Path) -> tuple[MultimodalModel, dict[str, Tensor]]:
    """A model whose trunk differs from its base and whose answers are far from chance; and the base."""
    model = build_model(config)
    load_base(root, model, config.preset)
    base = {n: p.detach().clone() for n, p in model.named_parameters() if n.startswith(TRUNK_PARTS)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("text_encoder.bert.encoder"):
                parameter.add_(0.02 * torch.randn_like(parameter))
            if name.startswith("fusion."):
                parameter.add_(0.3 * torch.randn_like(parameter))
        model.head.layers[-1].weight.mul_(20)
    return model.eval(), base


def build_cell(root: Path, config: ModelConfig, *, own_trunk: bool = False, bits: int = 8) -> MultimodalModel:
    """Save a lively cell, on a trunk of its own or on the shared one, and return its model."""
    model, base = lively_model(config, root)
    folder = cell_folder(root, config)
    place = "trunk.safetensors" if own_trunk else "../trunk.safetensors"
    save_trunk(folder / place, model, base, bits)
    training = {"data": "random weights", "commit": "none"}
    save_cell(folder, model, config, trunk=place, training=training, metrics={"seed": 7}, bits=bits)
    return model


def build_zoo(root: Path) -> None:
    """A cell for every dataset and fusion: FiLM on the shared trunk, the others each on their own."""
    (root / "lite" / "base").mkdir(parents=True)
    shutil.copy(TOKENIZER, root / "lite" / "base")
    for dataset in DATASETS:
        for fusion in FUSIONS:
            torch.manual_seed(7)
            config = ModelConfig(dataset=dataset, fusion=fusion, preset="tiny")
            build_cell(root, config, own_trunk=fusion != "film")


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
