"""Tuning: what may be tried; that test is never read, a study goes on, prunes, and reports all trials."""

import csv
import math

import optuna
import pytest
from typer.testing import CliRunner

from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import MODELS, ModelConfig
from mmdemo.types import InputError
from tests.tiny import write_data
from train.__main__ import app
from train.cells.recipes import read_recipes
from train.cells.settings import Settings
from train.data.source import DataSource
from train.experiments.search import apply, as_changes, grid_size, read_search, values_of
from train.experiments.tune import STAGES, Search, _Watch, open_study, tune
from train.experiments.tune_report import write_report
from train.fit.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def search(data, work, space: list[str], **more) -> Search:
    stage = more.pop("stage", "cell")
    settings = Settings(
        config=ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny"),
        source=DataSource(folder=data),
        out=work / "out",
        work=work,
        device="cpu",
        changes={"trunk": {"epochs": 1, "members": 1}},
        limit=more.pop("limit", None),
        start=more.pop("start", None),
    )
    return Search(
        **{
            "settings": settings,
            "stage": stage,
            "space": read_search(space, stage),
            "sampler": "grid",
            "storage": f"sqlite:///{work / 'tune.sqlite3'}",
            "name": "study",
            "trials": 4,
            **more,
        }
    )


def read_table(folder) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "trials.csv").read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder whose test files are gone: reading them would be an error."""
    folder = write_data(tmp_path_factory.mktemp("data"), posts=24)
    for file in ("twitter2017/test.txt", "mnre/mnre_test.txt"):
        (folder / file).write_text("nobody may read this")
    return folder


def test_lists_and_ranges_are_read():
    epochs, rate, dropout = read_search(["epochs=3,5", "cell.lr=1e-5:1e-2:log", "dropout=0:0.4"], "cell")
    assert epochs.choices == (3, 5) and (rate.low, rate.high, rate.log) == (1e-5, 1e-2, True)
    assert (dropout.low, dropout.high, dropout.log) == (0.0, 0.4, False)
    assert epochs.holds(3) and not epochs.holds(4) and rate.holds(1e-3) and not rate.holds(1.0)
    assert grid_size(read_search(["epochs=3,5,7,10", "lr=1,2"], "cell")) == 8


@pytest.mark.parametrize(
    "text",
    [
        "nothing=1",
        "trunk.epochs=3",
        "epochs=a",
        "epochs=5:3",
        "lr=0:1:log",
        "lr=1:2:square",
        "lr=1:2:3:4",
        "lr=",
    ],
)
def test_a_search_that_makes_no_sense_is_an_error(text):
    with pytest.raises(InputError, match="--search"):
        read_search([text], "cell")


def test_one_name_twice_and_a_range_in_a_grid_are_errors(data, tmp_path):
    with pytest.raises(InputError, match="twice"):
        read_search(["epochs=3", "cell.epochs=4"], "cell")
    with pytest.raises(InputError, match="lr is a range"):
        search(data, tmp_path, ["lr=1e-4:1e-2"])
    with pytest.raises(InputError, match="image_size changes nothing"):
        search(data, tmp_path, ["image_size=64,96"], stage="trunk")


def test_lr_means_fusion_and_head_and_not_the_encoder():
    recipe = apply(Recipe(), {"lr": 0.002, "epochs": 3, "image_size": 256})
    assert (recipe.fusion_lr, recipe.head_lr, recipe.epochs) == (0.002, 0.002, 3)
    assert (recipe.text_lr, recipe.image_lr) == (Recipe().text_lr, Recipe().image_lr)
    told = as_changes("cell", {"lr": 0.002, "epochs": 3, "image_size": 256}, Recipe())
    assert told == "--set cell.fusion_lr=0.002 --set cell.head_lr=0.002 --set cell.epochs=3"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dataset", bundled())
@pytest.mark.parametrize(("preset", "stage"), [("lite", s) for s in STAGES] + [("full", "whole")])
def test_a_recipes_own_values_give_that_recipe(preset, dataset, model, stage):
    recipe = read_recipes(preset).recipe(find_dataset(dataset), model, stage)
    space = read_search([f"{name}=0:1000" for name in ("epochs", "lr", "dropout")], stage)
    own = values_of(recipe, space, 224)
    assert own is not None and apply(recipe, own) == recipe


def test_the_head_s_rate_moves_with_the_fusion_s_and_a_frozen_fusion_stays_frozen():
    recipe = apply(Recipe(fusion_lr=3e-4, head_lr=1e-4), {"lr": 6e-3})
    assert (recipe.fusion_lr, recipe.head_lr) == (6e-3, pytest.approx(2e-3))
    told = as_changes("cell", {"lr": 6e-3}, Recipe(fusion_lr=3e-4, head_lr=1e-4))
    assert told == "--set cell.fusion_lr=0.006 --set cell.head_lr=0.002"
    trunk = apply(Recipe(fusion_lr=0.0, head_lr=1e-3), {"lr": 2e-3})
    assert (trunk.fusion_lr, trunk.head_lr) == (0.0, 2e-3)


def test_the_recipe_itself_is_a_trial_where_it_can_be():
    space = read_search(["epochs=2:8", "lr=1e-6:1e-2:log"], "cell")
    assert values_of(Recipe(), space, 224) == {"epochs": 5, "lr": 3e-5}
    assert values_of(Recipe(), read_search(["epochs=3,4"], "cell"), 224) is None


def test_a_grid_goes_on_where_it_was_and_reports_every_trial(data, tmp_path):
    space = ["epochs=1,2", "lr=1e-3,1e-2"]
    first = tune(search(data, tmp_path, space, trials=1))
    assert len(first.trials) == 1
    wanted = search(data, tmp_path, space, prune=False)
    study = tune(wanted)
    done = [trial for trial in study.trials if trial.state is optuna.trial.TrialState.COMPLETE]
    assert len({tuple(trial.params.items()) for trial in done}) == 4
    assert all(trial.value == max(trial.intermediate_values.values()) for trial in done)
    assert tune(wanted).trials == study.trials  # whole: nothing is trained again

    said = write_report(study, wanted, tmp_path / "report", "<b>command</b>")
    rows = read_table(tmp_path / "report")
    assert len(rows) == 4 and float(rows[0]["F1"]) == pytest.approx(study.best_value, abs=1e-4)
    assert f"--set cell.epochs={study.best_params['epochs']}" in said
    page = (tmp_path / "report" / "tuning.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;command" in page and "<script" not in page and "data:image/svg+xml" in page
    assert (tmp_path / "report" / "trials.png").stat().st_size > 1000
    assert not list((tmp_path / "tune").rglob("*.safetensors"))
    assert len(list((tmp_path / "tune").rglob("log.jsonl"))) == 4

    with pytest.raises(InputError, match="other data or settings"):
        tune(search(data, tmp_path, space, limit=5))


def test_a_study_takes_no_trials_from_another_start(data, tmp_path):
    start = tmp_path / "trunk"
    start.mkdir()
    (start / "trunk.safetensors").write_bytes(b"one")
    open_study(search(data, tmp_path, ["epochs=1,2"], start=start))
    open_study(search(data, tmp_path, ["epochs=1,2"], start=start))
    with pytest.raises(InputError, match="other data or settings"):
        open_study(search(data, tmp_path, ["epochs=1,2"]))
    (start / "trunk.safetensors").write_bytes(b"trained again")
    with pytest.raises(InputError, match="other data or settings"):
        open_study(search(data, tmp_path, ["epochs=1,2"], start=start))


def test_a_rate_that_is_too_high_is_a_trial_and_not_a_crash(data, tmp_path):
    wanted = search(
        data, tmp_path, ["text_lr=1e-4,1e30"], stage="trunk", trials=2, sampler="grid", prune=False
    )
    study = tune(wanted)
    assert len(study.trials) == 2
    diverged = {t.params["text_lr"]: t.user_attrs.get("diverged", "") for t in study.trials}
    assert diverged[1e-4] == "" and "the loss is" in diverged[1e30]
    assert all(math.isfinite(trial.value) for trial in study.trials)
    write_report(study, wanted, tmp_path / "report", "")
    assert "diverged" in (tmp_path / "report" / "trials.csv").read_text()


def test_a_trial_that_lags_is_stopped():
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0)
    )
    good, bad = study.ask(), study.ask()
    watch = _Watch(good, epochs=2)
    for value in (0.8, 0.9, 0.9):  # the third is a trunk's average
        watch({"entity": {"f1": value}})
    assert watch.best == 0.9
    study.tell(good, watch.best)
    watch = _Watch(bad, epochs=2)
    with pytest.raises(optuna.TrialPruned):
        watch({"entity": {"f1": 0.1}})


def test_the_command_starts_from_the_recipe(data, tmp_path):
    arguments = f"tune --dataset mnre --preset tiny --data {data} --out {tmp_path} --work {tmp_path}"
    options = "--stage trunk --sampler tpe --trials 2 --limit 16 --device cpu --search epochs=1:9"
    found = CliRunner().invoke(app, [*arguments.split(), *options.split()])
    assert found.exit_code == 0, found.output
    assert "best on validation: --set trunk.epochs=" in found.output
    rows = read_table(tmp_path / "tune" / "mnre-roberta-resnet50-film-tiny-trunk-tpe")
    assert {row["trial"]: row["epochs"] for row in rows}["0"] == "5"  # lite's own recipe, which tiny borrows
