"""Align the lite image tower with text, as CLIP's is: captions and their photos against one another.

The loss is CLIP's (Radford et al. 2021): in a batch of photos and captions, each photo's caption is the right
one of all, and the other way about, by cosine similarity over a learnt temperature. What learns is the image
encoder's last layer (the reduction to 256 channels), and a projection of the caption that is dropped after.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from tqdm.auto import tqdm

from mmdemo.cells.pretrained_base import load_base
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.discovery import default_for
from mmdemo.models.batch import collate
from mmdemo.models.config import MODELS, ModelConfig, fusions_of
from mmdemo.models.encoders.image import EfficientNetLite
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.types import InputError, Post
from train.data.source import DataSource
from train.fit.cached_states import backbone_maps
from train.fit.stages import backbone_salt
from train.fit.state import load_tensors, replace_file

#: Captions are read as tweets are: any dataset without marks will do.
ALIGNED = next(row.name for row in MODELS.values() if row.aligned)
CONFIG = ModelConfig(
    dataset=default_for("entities"), model=ALIGNED, fusion=fusions_of(ALIGNED)[0], preset="lite"
)
EPOCHS, BATCH, RATE, DECAY = 60, 256, 1e-3, 0.05
#: What a card says of it.
ALIGNMENT = {
    "trains": "image_encoder.reduction",
    "loss": "CLIP's, of photos and their captions",
    "epochs": EPOCHS,
    "batch_size": BATCH,
    "rate": RATE,
    "weight_decay": DECAY,
}
REPORT = "recall.json"
WEIGHTS = "best.safetensors"
RANKS = (1, 5, 10)


def align(source: DataSource, folder: Path, root: Path, seed: int, cache: Path) -> dict[str, Tensor]:
    """The aligned ``image_encoder.reduction`` by parameter name; kept in ``folder`` with its recall.

    Photos of the datasets' training splits with their captions train it; those of the test splits, which no
    training post uses, are what recall@1, 5 and 10 are measured on.

    Raises:
        InputError: the data folder has no captions, or none of these photos.
    """
    if (folder / WEIGHTS).exists():
        return load_tensors(folder / WEIGHTS)
    captions = read_captions(source)
    train, test = (_photos(source, split, captions) for split in ("train", "test"))
    model = build_model(CONFIG)
    load_base(root, model, "lite")
    model.eval()
    held_out = _embed(model, test, captions, root, cache)
    tower = model.image_encoder
    assert isinstance(tower, EfficientNetLite)
    words = _fit(tower.reduction, *_embed(model, train, captions, root, cache), seed)
    found = recall(tower.reduction, words, *held_out)
    chance = {f"recall@{k}": k / len(test) for k in RANKS}
    report = {"photos": {"train": len(train), "held_out": len(test)}, "chance": chance, "aligned": found}
    replace_file(folder / REPORT, lambda file: file.write_text(json.dumps(report, indent=2)))
    tensors = {
        f"image_encoder.reduction.{n}": p.detach().clone() for n, p in tower.reduction.named_parameters()
    }
    replace_file(folder / WEIGHTS, lambda file: save_file(tensors, file))
    return tensors


def captions_file(source: DataSource) -> Path:
    """Where the data folder has its captions: columns photo (a file's name) and caption."""
    return source.folder / "standins" / "captions.csv"


def read_captions(source: DataSource) -> dict[str, list[str]]:
    """Photo file name -> its captions. Raises InputError where there are none."""
    file = captions_file(source)
    if not file.is_file():
        raise InputError(
            f"clip-bert's image tower is aligned with captions, and {file} is not there; see docs/training.md"
        )
    found: dict[str, list[str]] = defaultdict(list)
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found[row["photo"]].append(row["caption"])
    return found


def _photos(source: DataSource, split: str, captions: dict[str, list[str]]) -> list[Path]:
    """The captioned photos of a split, over all datasets. Raises InputError where there are none."""
    paths = {Path(p.image) for p in source.posts_of_all(split) if isinstance(p.image, str | Path)}
    found = sorted(path for path in paths if path.name in captions)
    if not found:
        raise InputError(
            f"clip-bert's image tower is aligned with captions, and {captions_file(source)} has none of the "
            f"{len(paths)} photos of {split}: it needs captions of these photos; see docs/training.md"
        )
    return found


def _embed(
    model: MultimodalModel, photos: Sequence[Path], captions: dict[str, list[str]], root: Path, cache: Path
) -> tuple[Tensor, Tensor]:
    """Mean backbone maps (P, 1280), and each photo's five captions as mean token states (P, 5, 384)."""
    encoder = post_encoder(CONFIG, root)
    posts = [Post(text="", tokens=(), image=path) for path in photos]
    maps = backbone_maps(model, encoder, posts, 0, cache, backbone_salt(root, CONFIG))
    images, texts = [], []
    for path in tqdm(photos, "captions", disable=None):
        images.append(maps[path].float().mean(0))
        lines = (captions[path.name] * 5)[:5]
        words = [encoder.encode(Post(text=line, tokens=tuple(line.split(" "))), None) for line in lines]
        batch = collate(words)
        with torch.inference_mode():
            states_BLD = model.text_encoder(batch.ids_BL, batch.features_BL, batch.mask_BL)
        mask_BL1 = batch.mask_BL[..., None]
        texts.append((states_BLD * mask_BL1).sum(1) / mask_BL1.sum(1))
    return torch.stack(images).clone(), torch.stack(texts).clone()


def _fit(reduction: nn.Linear, images_PD: Tensor, texts_PCD: Tensor, seed: int) -> nn.Linear:
    """Train the reduction, in place, with CLIP's loss; the captions' projection is returned."""
    torch.manual_seed(seed)
    words = nn.Linear(texts_PCD.shape[-1], reduction.out_features)
    temperature = nn.Parameter(torch.tensor(np.log(1 / 0.07), dtype=torch.float32))
    parameters = [*reduction.parameters(), *words.parameters(), temperature]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(images_PD) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in tqdm(range(EPOCHS), "aligning", disable=None):
        for rows in torch.randperm(len(images_PD)).split(BATCH):
            chosen = torch.randint(texts_PCD.shape[1], (len(rows),))
            image = normalize(reduction(nn.functional.dropout(images_PD[rows], 0.2)), dim=-1)
            text = normalize(words(texts_PCD[rows, chosen]), dim=-1)
            logits = image @ text.T * temperature.exp().clamp(max=100)
            right = torch.arange(len(rows))
            loss = (cross_entropy(logits, right) + cross_entropy(logits.T, right)) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return words


@torch.no_grad()
def recall(reduction: nn.Linear, words: nn.Linear, images_PD: Tensor, texts_PCD: Tensor) -> dict[str, float]:
    """Share of photos' first captions that find their photo among the nearest 1, 5 and 10 of all given."""
    image = normalize(reduction(images_PD), dim=-1)
    text = normalize(words(texts_PCD[:, 0]), dim=-1)
    order = (text @ image.T).argsort(dim=-1, descending=True)
    place = (order == torch.arange(len(order))[:, None]).int().argmax(dim=-1)
    return {f"recall@{k}": float((place < k).float().mean()) for k in RANKS}
