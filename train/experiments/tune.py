"""``python -m train tune``: search a stage's settings with Optuna, judged on validation alone.

A trial trains one stage with other settings on the same posts; its value is its best epoch's validation F1.
The test split is never read here. Trials lie in a database: a cut-off study goes on, and several workers
share one.
"""

import shutil
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
from accelerate import Accelerator
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState

from mmdemo.types import InputError, quoted
from train.cells.fusions import CellData, cell_data, load_trunk_model, train_cell
from train.cells.run import Trunk, ensure_base, material_of, run_trunk
from train.cells.settings import Settings, data_hash, start_facts, words_facts
from train.data.batches import NOTHING
from train.experiments.search import IMAGE_SIZE, Dimension, apply, values_of
from train.fit.loop import Diverged, choose_accelerator
from train.fit.recipe import Recipe
from train.fit.stages import Material, train_trunk, train_whole
from train.score.metrics import Scores, headline

STAGES = ("trunk", "cell", "whole")
SAMPLERS = ("grid", "random", "tpe")
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
#: A worker that is silent for so long is taken for dead, and its trial is given to another.
HEARTBEAT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Search:
    """A study: what to try of which stage, how the next trial is picked, and where trials are kept."""

    settings: Settings
    stage: str
    space: tuple[Dimension, ...]
    sampler: str
    storage: str
    name: str
    trials: int
    prune: bool = True

    def __post_init__(self) -> None:
        for what, value, known in (("stage", self.stage, STAGES), ("sampler", self.sampler, SAMPLERS)):
            if value not in known:
                raise InputError(f"unknown {what} {quoted(value)}; known: {', '.join(known)}")
        if self.sampler == "grid" and (open_ := [d.name for d in self.space if not d.choices]):
            raise InputError(f"a grid needs lists of values; {', '.join(open_)} is a range")
        if any(d.name == IMAGE_SIZE for d in self.space) and self.stage == "trunk":
            raise InputError("image_size changes nothing in a trunk; tune the cell or the whole")

    @property
    def facts(self) -> dict[str, Any]:
        """What all trials of a study share; another study's trials cannot be compared with these."""
        config, source = self.settings.config, self.settings.source
        return {
            "cell": config.cell,
            "stage": self.stage,
            "data": data_hash(source, config.dataset),
            "photos": source.photo_facts(config.dataset),
            "limit": self.settings.limit,
            **words_facts(self.settings),
            "start": start_facts(self.settings.start),
            "fixed": {stage: values for stage, values in self.settings.changes.items() if values},
        }


def tune(search: Search) -> optuna.Study:
    """Run trials until the study has ``search.trials`` of them; return the study.

    Raises:
        InputError: the storage cannot be opened, or holds a study of that name about something else.
    """
    study = open_study(search)
    if search.sampler != "grid" and not study.trials:
        settings = search.settings
        own = values_of(settings.recipe(search.stage), search.space, settings.config.sizes.image_size)
        if own is not None:
            study.enqueue_trial(own)  # the first trial is the recipe (one member of a trunk): to be beaten
    ensure_base(search.settings)
    runner = _Runner(search)
    stop = optuna.study.MaxTrialsCallback(search.trials, states=DONE)
    if sum(trial.state in DONE for trial in study.trials) < search.trials:
        study.optimize(runner.objective, callbacks=[stop], show_progress_bar=False)
    return study


def open_study(search: Search) -> optuna.Study:
    """The study of that name, new or with the trials that it has."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if search.storage.startswith("sqlite:///"):
        Path(search.storage.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        storage = RDBStorage(
            search.storage,
            heartbeat_interval=HEARTBEAT_SECONDS,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=2),
        )
    except Exception as error:  # whatever the database's driver raises
        raise InputError(f"the storage {search.storage} cannot be opened: {error}") from error
    median = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1)
    study = optuna.create_study(
        storage=storage,
        study_name=search.name,
        direction="maximize",
        sampler=_sampler(search),
        pruner=median if search.prune else optuna.pruners.NopPruner(),
        load_if_exists=True,
    )
    known = study.user_attrs.get("facts")
    if known is not None and known != search.facts:
        raise InputError(f"the study {search.name} is about other data or settings; choose another --study")
    study.set_user_attr("facts", search.facts)
    return study


def _sampler(search: Search) -> BaseSampler:
    seed = search.settings.recipe(search.stage).seed
    if search.sampler == "grid":
        return GridSampler({d.name: list(d.choices) for d in search.space}, seed=seed)
    if search.sampler == "random":
        return RandomSampler()  # unseeded, as TPE: workers that share a seed would all try the same
    return TPESampler(n_startup_trials=8, constant_liar=True)


@dataclass
class _Runner:
    """Trains trials; what does not depend on them (posts, trunk, its states) is made once."""

    search: Search
    _data: dict[tuple[Hashable, ...], CellData] = field(default_factory=dict)

    def objective(self, trial: optuna.Trial) -> float:
        values = {dimension.name: dimension.suggest(trial) for dimension in self.search.space}
        recipe = apply(self.search.settings.recipe(self.search.stage), values)
        watch = _Watch(trial, recipe.epochs)
        folder = self.search.settings.work / "tune" / self.search.name / f"trial-{trial.number}"
        shutil.rmtree(folder, ignore_errors=True)  # of an older database of the same name
        try:
            self._train(recipe, folder, values.get(IMAGE_SIZE), watch)
        except Diverged as error:
            trial.set_user_attr("diverged", str(error))
        finally:
            for state in folder.rglob("*.safetensors"):  # the log stays: it has every loss and score
                state.unlink()
        return watch.best

    def _train(self, recipe: Recipe, folder: Path, image_size: int | None, watch: "_Watch") -> None:
        settings = self.search.settings
        material = replace(self.material(recipe, image_size), watch=watch)
        if self.search.stage == "trunk":
            cache = settings.cache
            recipe = replace(recipe, members=1)
            train_trunk(material, recipe, folder, settings.out, cache, self.accelerator, settings.start)
        elif self.search.stage == "whole":
            train_whole(material, recipe, folder, settings.out, self.accelerator, settings.start)
        else:
            data = self._cell_data(material, recipe)
            model = load_trunk_model(material.config, recipe, settings.out, self._trunks, self.trunk.run)
            name = f"{self.search.name} {folder.name}"
            train_cell(model, replace(data, material=material), recipe, folder, self.accelerator, name)

    def material(self, recipe: Recipe, image_size: int | None) -> Material:
        material = material_of(self.search.settings, recipe)
        if image_size is not None:
            material.encoder.image_size = image_size
        return material

    def _cell_data(self, material: Material, recipe: Recipe) -> CellData:
        """Cached states: they depend on few of a recipe's settings."""
        dropped = recipe.drops if material.config.mixed else NOTHING
        key = (recipe.views, recipe.seed, dropped, material.encoder.image_size)
        if key not in self._data:
            self._data.clear()  # states of one setting at a time: they are large
            settings = self.search.settings
            model = load_trunk_model(material.config, recipe, settings.out, self._trunks, self.trunk.run)
            model.to(self.accelerator.device)
            self._data[key] = cell_data(model, material, recipe, settings.out, settings.cache)
        data = self._data[key]
        return CellData(material=material, views=data.views, valid=data.valid)

    @cached_property
    def accelerator(self) -> Accelerator:
        return choose_accelerator(self.search.settings.device)

    @cached_property
    def trunk(self) -> Trunk:
        return run_trunk(self.search.settings)

    @property
    def _trunks(self) -> Sequence[Path]:
        return [(self.trunk.folder / "fusion" / place).resolve() for place in self.trunk.places]


class _Watch:
    """Hears each epoch's validation scores: keeps the best, tells the study, and stops a hopeless trial."""

    def __init__(self, trial: optuna.Trial, epochs: int) -> None:
        self.trial, self.epochs = trial, epochs
        self.epoch, self.best = 0, 0.0

    def __call__(self, scores: Scores) -> None:
        value = headline(scores)
        self.best = max(self.best, value)
        if self.epoch < self.epochs:  # a trunk's average is scored once more at the end
            self.trial.report(value, self.epoch)
            self.epoch += 1
            if self.epoch < self.epochs and self.trial.should_prune():
                raise optuna.TrialPruned
