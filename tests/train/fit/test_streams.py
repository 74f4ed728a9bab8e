"""Each random thing has a stream of its own: choosing a fusion changes nothing but the fusion."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Example
from mmdemo.models.config import ModelConfig, buildable
from mmdemo.models.subtokens import TextInput
from tests.tiny import write_data
from train.cells.run import run, run_trunk
from train.cells.settings import Settings
from train.data.batches import Drops, bucketed_batches
from train.data.source import DataSource
from train.fit.recipe import Recipe
from train.fit.starts import fresh_model
from train.fit.streams import drawn, named_dropout, parts_of, stream, stream_seed

FUSIONS = buildable("roberta-resnet50")


def fresh(fusion: str, model: str = "roberta-resnet50", seed: int = 3) -> dict[str, torch.Tensor]:
    config = ModelConfig(dataset=find_dataset("mnre"), model=model, fusion=fusion, preset="tiny")
    return fresh_model(config, Recipe(seed=seed), Path()).state_dict()


def same_but_for_the_fusion(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> None:
    own = {name for name in one if not name.startswith("fusion.")}
    assert own == {name for name in two if not name.startswith("fusion.")} and len(own) > 20
    assert [name for name in sorted(own) if not torch.equal(one[name], two[name])] == []


def test_a_name_and_a_seed_alone_decide_a_stream():
    assert stream_seed(1337, "order of posts", 0) == stream_seed(1337, "order of posts", 0)
    different = {stream_seed(s, *names) for s in (1, 2) for names in (("a",), ("a", 1), ("a", "1"), ("a1",))}
    assert len(different) == 8 and all(0 <= seed < 2**63 for seed in different)
    assert stream(1, "a").random() == stream(1, "a").random() != stream(1, "b").random()


def test_a_stream_leaves_torchs_own_state():
    torch.manual_seed(5)
    before = torch.rand(3)
    torch.manual_seed(5)
    with drawn(1, "a"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), before)
    with drawn(1, "a"):
        assert torch.equal(torch.rand(3), first)


# ---------------------------------------------------------------- first weights


@pytest.mark.parametrize("fusion", FUSIONS[1:])
def test_a_fusion_changes_no_other_parts_first_weights(fusion):
    same_but_for_the_fusion(fresh(FUSIONS[0]), fresh(fusion))


@pytest.mark.parametrize("model", ["blip", "vilt", "clip-bert"])
def test_so_it_is_for_every_row(model):
    same_but_for_the_fusion(fresh("film", model), fresh("attention", model))


def test_another_seed_changes_all_that_is_drawn():
    one, two = fresh("film"), fresh("film", seed=4)
    for part in ("text_projection.weight", "image_projection.1.weight", "heads.relations.layers.1.weight"):
        assert not torch.equal(one[part], two[part]), part
    assert any(n.startswith("fusion.") and not torch.equal(v, two[n]) for n, v in one.items())


# ---------------------------------------------------------------- dropout


class Parts(nn.Module):
    """Three parts, of which the middle one draws as often as it is told."""

    def __init__(self, draws: int) -> None:
        super().__init__()
        self.first, self.fusion = nn.Dropout(0.5), nn.ModuleList(nn.Dropout(0.5) for _ in range(draws))
        self.middle = nn.Sequential(*self.fusion)
        self.heads = nn.ModuleDict({"a": nn.Dropout(0.5)})

    def forward(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        first = self.first(values)
        self.middle(values)
        return first, self.heads["a"](values)


def drops(draws: int, epoch: int, *, calls: int = 2) -> list[torch.Tensor]:
    model = Parts(draws).train()
    with named_dropout(model, 7, epoch):
        return [part for _ in range(calls) for part in model(torch.ones(64))]


def test_a_part_that_draws_more_changes_no_other_parts_drops():
    assert set(parts_of(Parts(1))) == {"first", "fusion", "middle", "heads.a"}
    for one, two in zip(drops(1, 0), drops(5, 0), strict=True):
        assert torch.equal(one, two)
    first, head, again, _ = drops(1, 0)
    assert not torch.equal(first, head) and not torch.equal(first, again)
    assert not torch.equal(first, drops(1, 1)[0])


def test_dropout_is_as_before_once_the_training_is_over():
    model = Parts(1)
    with pytest.raises(RuntimeError), named_dropout(model, 7):
        raise RuntimeError
    assert not any(part._forward_pre_hooks for part in parts_of(model).values())


# ---------------------------------------------------------------- posts


def test_photo_drops_change_no_order():
    lengths = [3 + i % 5 for i in range(40)]
    texts = [TextInput(ids=(i,) * n, features=(0,) * n, first=(0,)) for i, n in enumerate(lengths)]
    examples = [Example(text=text, regions_RD=torch.ones(2, 3)) for text in texts]
    plain, some = (
        list(bucketed_batches(examples, 4, seed=1, epoch=2, drops=Drops(all=share))) for share in (0.0, 0.5)
    )
    assert all(torch.equal(a.ids_BL, b.ids_BL) for a, b in zip(plain, some, strict=True))
    assert 5 < sum(int(batch.present_B.sum()) for batch in some) < 35


# ---------------------------------------------------------------- whole runs


def settings(data: Path, place: Path, fusion: str, model: str = "roberta-resnet50", **changes) -> Settings:
    config = ModelConfig(
        dataset=find_dataset("twitter2017"), model=model, fusion=fusion, preset="tiny", film_variant="report"
    )
    return Settings(
        config=config,
        source=DataSource(folder=data),
        out=place / "out",
        work=place / "work",
        device="cpu",
        changes={"": {"epochs": 2, "members": 1, "share": 0.5, "text_lr": 1e-3, **changes}},
    )


def files(place: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(place)): f.read_bytes()
        for f in place.rglob("*.safetensors")
        if "base" not in f.parts
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), 24)


@pytest.mark.parametrize("model", ["roberta-resnet50", "vilt"])
def test_a_trunk_does_not_depend_on_the_fusion_that_asked_for_it(data, tmp_path, model):
    for fusion in ("film", "cross-attention"):
        run_trunk(settings(data, tmp_path / fusion, fusion, model))
    one, two = files(tmp_path / "film"), files(tmp_path / "cross-attention")
    assert one == two and any(name.endswith("trunk.safetensors") for name in one)


def test_a_whole_model_without_photos_learns_the_same_text_side_under_every_fusion(data, tmp_path):
    """No photo, no fusion: the two runs can differ by order, drops or first weights alone."""
    logs = []
    for fusion in ("film", "concat"):
        own = settings(data, tmp_path / fusion, fusion, epochs=1)
        run(replace(own, end_to_end=True))
        [log] = (tmp_path / fusion).rglob("whole/log.jsonl")
        logs.append([json.loads(line)["loss"] for line in log.read_text().splitlines() if "loss" in line])
    assert logs[0] == logs[1] and len(logs[0]) > 1


def test_the_same_run_twice_is_equal_to_the_byte(data, tmp_path):
    for place in ("a", "b"):
        run(settings(data, tmp_path / place, "film"))
    assert files(tmp_path / "a") == files(tmp_path / "b") and len(files(tmp_path / "a")) > 2
