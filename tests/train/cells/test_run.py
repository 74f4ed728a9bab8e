"""``python -m train run`` from files to a checkpoint folder, killed and resumed, with tiny models."""

import json
import os
import signal
import stat
import subprocess
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from mmdemo.answer.predict import predict
from mmdemo.cells.card import load_card
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.checkpoint import load_trunk
from mmdemo.cells.commits import code_state
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.locate import list_cells
from mmdemo.cells.pretrained_base import load_base
from mmdemo.cells.zoo import Zoo
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import build_model
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests import forking
from tests.tiny import write_data
from train.__main__ import app
from train.cells.recipes import read_changes, read_recipes
from train.cells.run import run
from train.cells.settings import Settings
from train.data.source import DataSource
from train.fit.recipe import Recipe
from train.fit.starts import best_of, start_from
from train.fit.state import load_state, save_state
from train.score.calibrate import calibrate_all
from train.score.photo_effect import measure_all

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), 48)


def settings(data: Path, place: Path, **options) -> Settings:
    config = ModelConfig(
        dataset=find_dataset(options.pop("dataset", "twitter2017")),
        fusion=options.pop("fusion", "film"),
        preset="tiny",
    )
    defaults = {"changes": {"": {"epochs": 2}}, "device": "cpu", "out": place / "out", "work": place / "work"}
    return Settings(config=config, source=DataSource(folder=data), **(defaults | options))


def tensors(place: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {
        str(f.relative_to(place)): load_file(f) for f in place.rglob("*.safetensors") if "base" not in f.parts
    }


def umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


# ---------------------------------------------------------------- a whole run


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize("end_to_end", [False, True])
def test_a_run_that_fails_on_bad_data_keeps_no_folder(tmp_path, split, end_to_end):
    folder = write_data(tmp_path / "data", 8)
    file = folder / (find_dataset("twitter2017").files.of(split) or "")
    file.write_bytes(file.read_bytes() + b"IMGID:7\nAnn\tB-NONSENSE\n")
    with pytest.raises(InputError, match="has the unknown entity label 'NONSENSE'"):
        run(settings(folder, tmp_path, end_to_end=end_to_end))
    assert not (tmp_path / "work").exists() and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["last.safetensors", "best.safetensors"])
@pytest.mark.parametrize("left", [0, 100, -10])
def test_a_state_that_is_cut_off_names_the_file_and_what_to_do(tmp_path, name, left):
    model = torch.nn.Linear(3, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    save_state(tmp_path / name, {"model": model}, optimizer, {"epoch": 1})
    assert load_state(tmp_path / name, {"model": model}, optimizer) == {"epoch": 1}
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o666 & ~umask()
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:left])
    told = f"{name} is damaged .*; remove the folder {tmp_path}"
    with pytest.raises(InputError, match=told):
        load_state(tmp_path / name, {"model": model}, optimizer)
    if name == "best.safetensors":
        with pytest.raises(InputError, match=told):
            best_of(tmp_path)


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
@pytest.mark.parametrize("end_to_end", [False, True])
def test_a_run_leaves_a_checkpoint_that_answers(data, tmp_path, monkeypatch, dataset, end_to_end):
    folder = run(settings(data, tmp_path, dataset=dataset, end_to_end=end_to_end))
    assert folder == tmp_path / "out" / "tiny" / dataset / "roberta-resnet50" / "film"
    trunk = folder / "trunk.safetensors" if end_to_end else folder.parent / "trunk.safetensors"
    assert trunk.is_file()

    training = json.loads((folder / "config.json").read_text())["training"]
    assert training["data"] == "no photos" and training["split_scheme"] == "official"
    assert training["command"].startswith("python -m train") and training["commit"]
    assert set(training["recipes"]) == ({"whole"} if end_to_end else {"trunk", "cell"})
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["seed"] == 1337 and metrics["data"] == "no photos"
    told = metrics["conditions"]
    assert told == training["conditions"] and training["commit"] == (code_state().commit or "unknown")
    assert (told["limit"], told["splits"], told["cleaning"], told["seed"]) == (None, "official", False, 1337)
    assert (told["recipe"], told["training_posts"]) == ("lite", 48)
    assert told["torch"] == torch.__version__ and "threads" in told["hardware"]
    assert told["precision"] in ("float32", "bf16")
    assert load_card(folder).metrics["conditions"]["posts"] == {"valid": 8, "test": 8}
    assert set(metrics["splits"]) == {"valid", "test"}
    assert metrics["splits"]["test"]["posts"] == 8
    kept = (tmp_path / "out", tmp_path / "work", DataSource(folder=data), "tiny")
    assert list(calibrate_all(*kept)) == list(measure_all(*kept)) == [metrics["cell"]]

    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "out"))
    cell = find_cell(dataset, "roberta-resnet50", "film", "tiny")
    assert cell.problem is None
    text = "[E1] Ann [/E1] loves [E2] Paris [/E2]" if dataset == "mnre" else "Ann loves Paris"
    assert predict(read_post(text, cell.dataset), cell).checkpoint == cell.name


def test_a_limited_run_and_the_reports_splits_are_marked(data, tmp_path):
    arguments = ["run", "--dataset", "twitter2017", "--data", str(data), "--scheme", "report"]
    arguments += ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    for setting in ("preset=tiny", "device=cpu", "epochs=1", "members=1", "limit=6"):
        arguments += ["--set", setting]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    card = load_card(Path(done.stdout.strip().splitlines()[-1]))
    assert card.training["split_scheme"] == "report" and card.training["limit"] == 6
    found = Conditions.of(card.metrics)
    assert found.marks[:2] == ("limited: 6 posts", "report's splits")
    assert found.training_posts == 6 and found.posts == {"valid": 6, "test": 6}


def test_scheme_is_an_option_and_a_setting(data, tmp_path, monkeypatch):
    schemes = []
    monkeypatch.setattr("train.cells.run.run", lambda s: schemes.append(s.source.scheme) or tmp_path)
    plain = ["run", "--dataset", "twitter2017", "--data", str(data), "--set", "preset=tiny"]
    for options in ([], ["--scheme", "report"], ["--set", "scheme=report"]):
        assert CliRunner().invoke(app, [*plain, *options], catch_exceptions=False).exit_code == 0
    assert schemes == ["official", "report", "report"]


def test_a_model_learns_what_the_data_say(data, tmp_path):
    changes = {
        "trunk": {"epochs": 14, "text_lr": 3e-3, "head_lr": 1e-2, "patience": 9},
        "cell": {"epochs": 1},
    }
    folder = run(settings(data, tmp_path, changes=changes))
    test = json.loads((folder / "metrics.json").read_text())["splits"]["test"]["none"]
    assert test["entity"]["f1"] > 0.8 and test["token"]["accuracy"] > 0.9


def test_the_same_run_twice_gives_the_same_files(data, tmp_path):
    for place in ("a", "b"):
        run(settings(data, tmp_path / place))
    one, two = tensors(tmp_path / "a"), tensors(tmp_path / "b")
    assert one.keys() == two.keys() and len(one) > 2
    for file, stored in one.items():
        assert all(torch.equal(value, two[file][name]) for name, value in stored.items()), file


def test_a_second_fusion_stands_on_the_first_ones_trunk(data, tmp_path):
    film = run(settings(data, tmp_path))
    trunk = (film.parent / "trunk.safetensors").read_bytes()
    file = tmp_path / "work/training/tiny/twitter2017/roberta-resnet50/trunk/member-0/log.jsonl"
    log = file.read_text()
    run(settings(data, tmp_path, fusion="concat"))
    assert (film.parent / "trunk.safetensors").read_bytes() == trunk
    assert file.read_text() == log
    cells = [c for c in list_cells(tmp_path / "out", "tiny") if c.problem is None]
    assert [(c.dataset.name, c.fusion) for c in cells] == [("twitter2017", "film"), ("twitter2017", "concat")]
    for cell in cells:
        assert Zoo(tmp_path / "out").load(cell).card.config.fusion == cell.fusion


def test_a_run_starts_from_another_dataset_s_trunk_or_cell(data, tmp_path):
    trunk = run(settings(data, tmp_path / "first", trunk_only=True))
    assert {file.name for file in trunk.iterdir()} == {"trunk.safetensors"}
    still = {"": {"epochs": 1}, "trunk": {"text_lr": 1e-12, "head_lr": 1e-12}}
    cell = run(settings(data, tmp_path / "second", dataset="mnre", start=trunk, changes=still))
    config = ModelConfig(dataset=find_dataset("mnre"), preset="tiny")
    name = "text_encoder.bert.encoder.layer.0.output.dense.weight"
    learnt = build_model(config)
    start_from(learnt, config, cell)
    base = build_model(config)
    load_base(tmp_path / "first" / "out", base, "tiny")
    load_trunk(trunk / "trunk.safetensors", base)
    assert torch.allclose(learnt.get_parameter(name), base.get_parameter(name), atol=2e-2)
    assert not torch.allclose(learnt.get_parameter(name), build_model(config).get_parameter(name), atol=2e-2)


# ---------------------------------------------------------------- killed and resumed


#: `python -m train` that kills itself once it has written a line with this key of its third epoch into a log.
KILLED = """
    import os, runpy, signal, sys
    from train.fit import loop

    log, key = sys.argv.pop(1), sys.argv.pop(1)
    write = loop._Log.write

    def last_write(self, **values):
        write(self, **values)
        if str(self.file) == log and values["epoch"] == 2 and key in values:
            os.kill(os.getpid(), signal.SIGKILL)

    loop._Log.write = last_write
    runpy.run_module("train", run_name="__main__", alter_sys=True)
"""


def killed_run(data: Path, place: Path, epochs: int, log: Path, key: str) -> int:
    """The run as a process of its own that is killed in its third epoch; how many epochs ``log`` has then."""
    command = [forking.python(), "-c", textwrap.dedent(KILLED), str(log), key]
    command += ["run", "--dataset", "twitter2017", "--set", "preset=tiny"]
    command += ["--data", str(data), "--out", str(place / "out"), "--work", str(place / "work")]
    command += ["--set", "device=cpu", "--set", f"epochs={epochs}", "--set", "patience=99"]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == -signal.SIGKILL
    return log.read_text().count("validation")


@pytest.mark.parametrize(
    ("stage", "key", "epochs_logged"),
    [
        ("trunk/member-0", "step", 2),  # in the middle of an epoch
        ("film/cell", "validation", 3),  # at its end, before its state is on disk
    ],
)
def test_a_killed_run_resumes_to_the_same_files(data, tmp_path, stage, key, epochs_logged):
    epochs = 5
    changes = {"": {"epochs": epochs, "patience": 99}}
    log = tmp_path / "killed/work/training/tiny/twitter2017/roberta-resnet50" / stage / "log.jsonl"
    assert killed_run(data, tmp_path / "killed", epochs, log, key) == epochs_logged
    run(settings(data, tmp_path / "killed", changes=changes))
    done = [json.loads(line)["epoch"] for line in log.read_text().splitlines() if "validation" in line]
    # The epoch that was written to the log but not yet to disk may be trained a second time, no other.
    assert sorted(set(done)) == list(range(epochs)) and len(done) <= epochs + 1

    run(settings(data, tmp_path / "unbroken", changes=changes))
    one, two = tensors(tmp_path / "killed"), tensors(tmp_path / "unbroken")
    assert one.keys() == two.keys()
    for file, stored in one.items():
        assert stored.keys() == two[file].keys()
        assert all(torch.equal(value, two[file][name]) for name, value in stored.items()), file


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    "other",
    [
        {"changes": {"": {"epochs": 3}}},
        {"changes": {"cell": {"seed": 5}, "": {"epochs": 2}}},
        {"limit": 9},
    ],
    ids=str,
)
def test_other_settings_in_the_same_work_folder_are_refused(data, tmp_path, other):
    run(settings(data, tmp_path))
    with pytest.raises(
        InputError, match="holds a run with other settings; remove it or choose another --work"
    ):
        run(settings(data, tmp_path, **other))


def test_other_data_in_the_same_work_folder_are_refused(data, tmp_path):
    run(settings(data, tmp_path))
    other = write_data(tmp_path / "data", 47)
    with pytest.raises(InputError, match="holds a run with other settings"):
        run(settings(other, tmp_path))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("speed=3", "no such setting; settings are preset"),
        ("=3", "no such setting"),
        ("", "no such setting"),
        ("branch.epochs=3", "no such setting"),
        ("trunk.cell.epochs=3", "no such setting"),
        ("epochs=many", "it takes a int"),
        ("epochs=2.5", "it takes a int"),
        ("epochs", "it takes a int"),
        ("text_lr=fast", "it takes a float"),
    ],
)
def test_a_set_option_that_cannot_be_read(text, match):
    with pytest.raises(InputError, match=match):
        read_changes([text])


def test_set_options():
    said = ["epochs=3", "trunk.text_lr=1e-4", "cell.epochs=5", "cell.seed=2", "epochs=4", "model=blip"]
    changes, picked = read_changes([*said, "end_to_end=true", "limit=7"])
    assert changes == {"": {"epochs": 4}, "trunk": {"text_lr": 1e-4}, "cell": {"epochs": 5, "seed": 2}}
    assert picked == {"model": "blip", "end_to_end": True, "limit": 7}


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"text_lr": -1e-3},
        {"head_lr": float("nan")},
        {"clip": float("inf")},
        {"image_dropout": 1.5},
        {"patience": -1},
    ],
    ids=str,
)
def test_a_recipe_that_cannot_be_is_refused(values):
    with pytest.raises(InputError, match=next(iter(values))):
        Recipe(**values)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--dataset", "twitter2019"], "unknown dataset 'twitter2019'"),
        (["--fusion", "magic"], "unknown fusion 'magic'"),
        (["--set", "preset=huge"], "unknown preset 'huge'"),
        (["--set", "film_variant=odd"], "unknown film variant 'odd'"),
        (["--set", "device=abacus"], "known are auto, cpu, cuda, mps"),
        (["--set", "scheme=mine"], "unknown split scheme 'mine'"),
        (["--scheme", "mine"], "unknown split scheme 'mine'"),
        (["--set", "epochs=0"], "epochs is 0"),
        (["--set", "cell.views=0"], "views is 0"),
        (["--data", "/no/such/folder"], "txt cannot be read: No such file"),
        (["--images", "/no/such/folder"], "the image folder /no/such/folder does not exist"),
        (["--from", "/no/such/folder"], "/no/such/folder does not exist"),
    ],
    ids=str,
)
def test_mistakes_are_one_sentence(data, tmp_path, options, match):
    arguments = [
        "run",
        "--dataset",
        "twitter2017",
        "--data",
        str(data),
        *("--set", "preset=tiny", "--set", "device=cpu"),
    ]
    arguments += ["--out", str(tmp_path), "--work", str(tmp_path), "--set", "trunk.epochs=1", *options]
    with pytest.raises(InputError, match=match) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "\n" not in str(caught.value)


def test_a_missing_test_split_is_one_sentence(tmp_path):
    data = write_data(tmp_path / "data", 12)
    (data / "twitter2017" / "test.txt").unlink()
    with pytest.raises(InputError, match="test.txt cannot be read"):
        run(settings(data, tmp_path))


@pytest.mark.parametrize("command", ["prepare", "recipes", "base", "run", "evaluate", "results"])
def test_every_command_has_help(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert f"python -m train {command}" in " ".join(result.stdout.split()) or command == "base"


def test_end_to_end_says_what_stays_frozen():
    told = CliRunner().invoke(app, ["zoo", "--help"], env={"COLUMNS": "200"}).stdout
    assert "in lite the image encoder and word embeddings stay frozen" in " ".join(told.split())
    for dataset in bundled().values():
        recipe = read_recipes("lite").recipe(dataset, "roberta-resnet50", "whole")
        assert (
            recipe.image_lr
            == recipe.embedding_lr
            == 0
            < min(recipe.text_lr, recipe.fusion_lr, recipe.head_lr)
        )


def test_evaluate_prints_a_table_or_json(data, tmp_path):
    folder = run(settings(data, tmp_path))
    arguments = [
        "evaluate",
        "--checkpoint",
        str(folder),
        "--data",
        str(data),
        "--work",
        str(tmp_path / "work"),
    ]
    table = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    assert "entity F1 (field)" in table and "8 posts, 0 with a photo (no photos)" in table
    scores = json.loads(CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert scores["photo"] == json.loads((folder / "metrics.json").read_text())["splits"]["test"]["photo"]


# ---------------------------------------------------------------- the real data


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
def test_real_posts_and_stand_in_photos_train(shared_data, tmp_path, dataset):
    changes = {"": {"epochs": 1, "views": 1}}
    folder = run(settings(shared_data, tmp_path, dataset=dataset, limit=40, changes=changes))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["data"] == "caption-matched stand-in photos"
    test = metrics["splits"]["test"]
    assert test["posts"] == 40 and 20 <= test["with_photo"] < 40
    assert any((tmp_path / "work" / "regions").iterdir())
