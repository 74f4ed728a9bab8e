"""The contract of every model x fusion x task at tiny sizes: scores, loss, photos, batches, save and load.

The preset ``full`` runs its real classes, shrunk (`tests.shrunk`), with the report's fusion and the baseline:
the other fusions see nothing of the encoders but their states.

Models of one dataset and row of SPEC §3 are built once and only change their fusion: what is tested is what
all fusions promise, and building a vocabulary 80 times would take a minute.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import cell_folder, load_model, save_cell, save_trunk
from mmdemo.cells.pretrained_base import load_base
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Batch, Example, collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.table import buildable, fusions_of
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.types import Pair
from tests.shrunk import shrink
from tests.tiny import build_cell, lively_fusion, lively_model, save, trunk_tensors
from train.bases.full_base import Origin, build_full_base

TEXTS = {
    "twitter2017": ("Kevin Durant enters Oracle Arena", "Go", "in Oakland , \ufe0f tonight"),
    "mnre": ("Ann of Oakland", "see Bob and Key Largo today", "Paris Paris"),
}
PAIRS = (Pair(head=(0, 1), tail=(2, 3)), Pair(head=(3, 5), tail=(1, 2)), Pair(head=(0, 1), tail=(1, 2)))
COMBINATIONS = [("tiny", d, m, f) for d in TEXTS for m in MODELS for f in buildable(m)]
COMBINATIONS += [
    ("full", d, m, f)
    for d in TEXTS
    for m in MODELS
    for f in fusions_of(m)
    if f in ("film", "concat", "native")
]
FILM = ModelConfig(dataset=find_dataset("mnre"), preset="tiny")


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Iterator[Path]:
    """A root with the full models' bases, while the preset is shrunk; tiny needs none."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        folder = tmp_path_factory.mktemp("full")
        for model in MODELS:
            config = ModelConfig(dataset=find_dataset("mnre"), model=model, preset="full")
            build_full_base(folder, config, Origin(init="random"))
        yield folder


@pytest.fixture(params=COMBINATIONS, ids="-".join)
def config(request, root) -> ModelConfig:
    preset, dataset, model, fusion = request.param
    return ModelConfig(dataset=find_dataset(dataset), model=model, fusion=fusion, preset=preset)


@cache
def _row(preset: str, dataset: str, model: str, root: Path) -> MultimodalModel:
    torch.manual_seed(3)
    config = ModelConfig(dataset=find_dataset(dataset), model=model, fusion="film", preset=preset)
    built, _ = lively_model(config, root)
    if preset == "full":
        with torch.no_grad():
            for name, parameter in built.named_parameters():
                if "_encoder." in name and parameter.ndim > 1:
                    parameter.add_(0.15 * torch.randn_like(parameter))
    return built


@pytest.fixture
def model(config, root) -> Iterator[MultimodalModel]:
    built = _row(config.preset, config.dataset.name, config.model, root)
    built.fusion = lively_fusion(config)
    yield built.eval()
    built.zero_grad()


@pytest.fixture
def examples(config, reader) -> list[Example]:
    """Three posts; the middle one has no photo."""
    rng = np.random.default_rng(3)
    found = []
    for i, text in enumerate(TEXTS[config.dataset.name]):
        words = text.split(" ")
        target: tuple[int, ...] | int = tuple(range(len(words))) if config.dataset.has_entities else 5 * i
        found.append(
            Example(
                text=reader.read(words, PAIRS[i] if config.dataset.has_relations else None),
                target=target,
                pixels_CHW=None if i == 1 else rng.standard_normal((3, 64, 64)).astype(np.float32),
            )
        )
    return found


@pytest.fixture
def batch(examples) -> Batch:
    return collate(examples)


def test_scores_have_a_row_for_each_word_or_post(config, model, batch):
    logits = model(batch).logits
    (task,) = config.dataset.tasks
    labels = len(config.dataset.outputs(task))
    assert logits.shape == ((3, 5, labels) if config.dataset.has_entities else (3, labels))
    assert logits.isfinite().all() and logits.abs().max() > 2  # far from chance


def test_loss_is_finite_and_every_part_learns(config, model, batch):
    loss = model.head_for(batch).loss(model.train()(batch).logits, batch)
    loss.backward()
    assert loss.isfinite() and loss > 0
    parts = {"text_encoder", "image_encoder", "text_projection", "image_projection", "fusion", "heads"}
    if config.fusion == "native":  # the photo went through the joint encoder alone
        parts -= {"image_projection", "fusion"}
    if not list(model.fusion.parameters()):
        parts -= {"fusion"}
    if config.reads == "text":
        parts -= {"image_encoder", "image_projection"}
    if config.reads == "photo":
        parts -= {"text_encoder", "text_projection"}
    for part in parts:
        grads = [p.grad for p in getattr(model, part).parameters() if p.grad is not None]
        assert sum(g.abs().sum() for g in grads) > 0, part


def test_a_post_answers_alike_alone_and_in_a_batch(config, model, examples, batch):
    together = model(batch).logits
    for row, example in enumerate(examples):
        alone = model(collate([example])).logits[0]
        seen = together[row, : len(alone)] if config.dataset.has_entities else together[row]
        torch.testing.assert_close(alone, seen, rtol=1e-4, atol=1e-4)


def test_no_photo_is_the_same_whether_absent_or_dropped(config, model, batch):
    absent = model(batch.without_images())
    assert absent.trace == {}
    hidden = model(replace(batch, present_B=torch.zeros(3, dtype=torch.bool)))
    # A joint stack masks regions out instead of leaving them out, which sums in another order.
    near = {"rtol": 1e-4, "atol": 1e-4} if config.joint else {"rtol": 0, "atol": 0}
    torch.testing.assert_close(absent.logits, hidden.logits, **near)


def test_the_photo_matters_where_there_is_one_and_only_there(model, batch):
    with_photo, without = model(batch).logits, model(batch.without_images()).logits
    changed = [not torch.allclose(a, b, atol=1e-3) for a, b in zip(with_photo, without, strict=True)]
    assert changed == [model.fusion.reads != "text", False, model.fusion.reads != "text"]


def test_cached_states_give_the_same_scores(model, examples, batch):
    with torch.inference_mode():
        states = model.encode(batch)
    regions_BRD = states.regions_BRD  # none where the fusion reads the text alone
    cached = [
        Example(
            text=e.text,
            states_LD=states.tokens_BLD[i, : len(e.text.ids)],
            regions_RD=None if e.pixels_CHW is None or regions_BRD is None else regions_BRD[i],
        )
        for i, e in enumerate(examples)
    ]
    torch.testing.assert_close(model(collate(cached)).logits, model(batch).logits, rtol=1e-4, atol=1e-4)


def test_evaluation_is_deterministic(model, batch):
    assert torch.equal(model(batch).logits, model(batch).logits)


def test_what_is_saved_answers_alike(config, model, batch, root, tmp_path):
    base = build_model(config)
    if config.preset == "full":
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "base").symlink_to(root / "full" / "base")
    load_base(tmp_path, base, config.preset)
    save_trunk(cell_folder(tmp_path, config) / "trunk.safetensors", model, trunk_tensors(base), 16)
    save(tmp_path, model, config, ("trunk.safetensors",), 16)
    folder = cell_folder(tmp_path, config)
    loaded = load_model(tmp_path, folder, load_card(folder))
    assert not loaded.training
    torch.testing.assert_close(loaded(batch).logits, model(batch).logits, rtol=1e-2, atol=2e-2)


# ---------------------------------------------------------------- one configuration is enough


def test_head_and_tail_are_told_apart(reader, tmp_path):
    model, _ = lively_model(FILM, tmp_path)
    words = ["Ann", "and", "Bob"]
    there = Example(text=reader.read(words, Pair(head=(0, 1), tail=(2, 3))))
    back = Example(text=reader.read(words, Pair(head=(2, 3), tail=(0, 1))))
    scores = model(collate([there, back])).logits
    assert not torch.allclose(scores[0], scores[1], atol=1e-2)


def test_late_fusion_mixes_the_scores_of_two_votes(reader, tmp_path):
    model, _ = lively_model(replace(FILM, fusion="late"), tmp_path)
    pixels = np.random.default_rng(1).standard_normal((3, 64, 64)).astype(np.float32)
    text = reader.read(["Ann", "and", "Bob"], Pair(head=(0, 1), tail=(2, 3)))
    batch = collate([Example(text=text, pixels_CHW=pixels)])
    with torch.no_grad():
        model.fusion.weight_logit.fill_(100.0)  # the photo decides alone
        photo = model(batch).logits
        model.fusion.weight_logit.copy_(torch.tensor([0.25]).logit())
        mixed = model(batch)
    words = model(batch.without_images()).logits
    torch.testing.assert_close(mixed.logits, 0.75 * words + 0.25 * photo)
    assert not torch.allclose(words, photo, atol=0.1)


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_fewer_bits_stay_near(reader, tmp_path, bits):
    original = build_cell(tmp_path, FILM, bits=bits)
    folder = cell_folder(tmp_path, FILM)
    loaded = load_model(tmp_path, folder, load_card(folder))
    batch = collate([Example(text=reader.read("Ann of Oakland".split(), PAIRS[0]))])
    difference = (loaded(batch).logits - original(batch).logits).abs().max()
    assert difference < {4: 2.0, 8: 0.1, 16: 0.01}[bits]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_stored_once_is_stored_exactly(name, tmp_path):
    config = replace(FILM, model=name)
    build_cell(tmp_path, config)
    folder = cell_folder(tmp_path, config)
    first = load_model(tmp_path, folder, load_card(folder))
    base = build_model(config)
    load_base(tmp_path, base, "tiny")
    again = tmp_path / "again"
    save_trunk(again / "trunk.safetensors", first, dict(base.named_parameters()), 8)
    save_cell(again, first, config, trunks=("trunk.safetensors",), training={}, metrics={})
    second = dict(load_model(tmp_path, again, load_card(again)).named_parameters())
    for parameter_name, parameter in first.named_parameters():
        # A trunk is added to its base, which rounds in float32.
        near = 1e-6 if parameter_name.startswith(("text_encoder", "image_encoder")) else 0
        assert (parameter - second[parameter_name]).abs().max() <= near, parameter_name


@pytest.mark.parametrize("name", MODELS)
def test_two_loads_are_equal(name, tiny_zoo):
    folder = cell_folder(tiny_zoo, replace(FILM, model=name))
    models = [load_model(tiny_zoo, folder, load_card(folder)) for _ in range(2)]
    for (key, a), b in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        assert torch.equal(a, b), key
