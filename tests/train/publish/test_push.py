"""Cells on their way to the Hub, against a stand-in of it: what goes up comes down again and predicts."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.answer.predict import predict
from mmdemo.cells import hub
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.locate import SHIPPED
from mmdemo.datasets.discovery import bundled
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests.hub_standin import Hub, running_hub, use
from train.__main__ import app
from train.publish.push import pack_parcel

#: `huggingface_hub` itself uploads large files in a way that httpx deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

CELL = "tiny/twitter2017/roberta-resnet50/film"


@pytest.fixture
def standin(monkeypatch, tmp_path):
    hub.forget()
    with running_hub() as running:
        use(running, tmp_path / "cache", monkeypatch)
        yield running
    hub.forget()


@pytest.fixture
def root(tiny_zoo, tmp_path) -> Path:
    """A copy of the zoo, to be damaged."""
    return Path(shutil.copytree(tiny_zoo, tmp_path / "zoo"))


def push(*options: str) -> str:
    result = CliRunner().invoke(app, ["push", "--repo", "me/cells", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_goes_up_comes_down_and_predicts(standin: Hub, tiny_zoo, tmp_path, monkeypatch):
    printed = push("--root", str(tiny_zoo), "--cells", "tiny/twitter2017/roberta-resnet50/film")
    held = standin.repos["models/me/cells"]
    assert held.private
    ((commit, files),) = held.commits
    assert printed.strip() == f"export MMDEMO_HUB_REPO=me/cells MMDEMO_HUB_REVISION={commit}"
    assert set(files) == {
        "README.md",
        "lite/base/tokenizer.json",
        "tiny/twitter2017/roberta-resnet50/trunk.safetensors",
        *(f"{CELL}/{name}" for name in ("README.md", "config.json", "metrics.json", "model.safetensors")),
    }
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "nothing"))
    monkeypatch.setenv("MMDEMO_HUB_REPO", "me/cells")
    monkeypatch.setenv("MMDEMO_HUB_REVISION", commit)
    cell = find_cell("twitter2017", "roberta-resnet50", "film", "tiny")
    assert predict(read_post("Ann met Bob", cell.dataset), cell).checkpoint == CELL


def test_a_second_push_adds_to_the_first(standin: Hub, tiny_zoo):
    push("--root", str(tiny_zoo), "--cells", "tiny/mnre/roberta*/film")
    push(
        "--root",
        str(tiny_zoo),
        "--cells",
        "tiny/mnre/bert-res*/concat",
        "--cells",
        "tiny/twitter2015/blip/film",
    )
    files = standin.repos["models/me/cells"].commits[-1][1]
    assert sum(path.endswith("/model.safetensors") for path in files) == 3


def test_nothing_goes_up_where_a_file_is_damaged(standin: Hub, root):
    (root / CELL / "model.safetensors").write_bytes(b"rot")
    with pytest.raises(InputError, match="model.safetensors is damaged; nothing was pushed"):
        push("--root", str(root))
    assert standin.repos == {} and standin.requests == []


def test_no_other_file_goes_along(root):
    for name in ("secret.pkl", "notes.txt", ".env"):
        (root / CELL / name).write_text("x")
    assert not [
        path for path in pack_parcel(root, "me/cells", ["*"]).files if "secret" in path or "env" in path
    ]


def test_patterns_that_fit_nothing_and_cells_in_anothers_place_are_refused(root):
    with pytest.raises(InputError, match="no cell in .* fits full/"):
        pack_parcel(root, "me/cells", ["full/*"])
    shutil.copytree(root / CELL, root / "tiny/mnre/roberta-resnet50/film", dirs_exist_ok=True)
    with pytest.raises(InputError, match="holds another checkpoint"):
        pack_parcel(root, "me/cells", ["tiny/mnre/*"])


@pytest.mark.parametrize("fault", ["down", "token", "name"])
def test_a_hub_that_refuses_is_one_sentence(standin: Hub, tiny_zoo, monkeypatch, fault):
    if fault == "token":
        monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    name = "no good name!" if fault == "name" else "me/cells"
    arguments = ["push", "--repo", name, "--root", str(tiny_zoo), "--cells", CELL]
    if fault == "down":
        monkeypatch.setattr("huggingface_hub.HfApi.create_repo", _fails)
    with pytest.raises(InputError, match="the Hub did not take") as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "\n" not in str(caught.value) and "hf_wrong" not in str(caught.value)
    assert not any(held.commits for held in standin.repos.values())


def _fails(*_: object, **__: object) -> None:
    raise ConnectionError("no route\nto host")


# ---------------------------------------------------------------- cards


def test_cards_can_be_read_before_anything_is_pushed(standin: Hub, tiny_zoo, tmp_path):
    options = ["--root", str(tiny_zoo), "--cards", str(tmp_path / "cards"), "--cells", "*/roberta*/film"]
    assert push(*options).startswith(
        f"{len(bundled()) + 1} cards in "
    )  # a cell of each dataset and the repository
    assert standin.requests == []
    card = (tmp_path / "cards" / CELL / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\n") and "No figures are stated." in card


def test_a_shipped_cells_card_says_what_it_must():
    if not (SHIPPED / "lite" / "twitter2017" / "roberta-resnet50" / "film").is_dir():
        pytest.skip("the shipped cell is not here")
    parcel = pack_parcel(SHIPPED, "me/cells", ["lite/twitter2017/roberta-resnet50/film"])
    card = parcel.files["lite/twitter2017/roberta-resnet50/film/README.md"].decode()
    metrics = parcel.cards[0].metrics["splits"]["test"]["photo"]
    for figure in (metrics["entity"]["f1"], metrics["token"]["accuracy"], metrics["token"]["f1"]):
        assert f"{100 * figure:.2f}" in card
    for words in (
        "caption-matched stand-ins",
        "EfficientNet-Lite0",
        "no photo",
        "MMDEMO_HUB_REVISION",
        "Not for identifying people",
        "Apache-2.0",
        "python -m train ",
    ):
        assert words in card, words
    assert "| [lite/twitter2017/roberta-resnet50/film]" in parcel.files["README.md"].decode()
