"""Recipes: named files of settings that a person lists, reads and copies (``python -m train recipes``).

A file's settings are layered: a stage's, then those of what the dataset asks for (``tasks``), then those of
the model (``models``), then those of both; ``--set`` comes last.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import FUSIONS, MODELS, ModelConfig
from mmdemo.types import PHOTO_SOURCES, InputError, quoted
from train.data.photo_reading import Named, sources_named
from train.fit.recipe import Recipe

FOLDER = Path(__file__).parents[1] / "recipes"
STAGES = ("trunk", "cell", "whole", "row")
ASKED = ("entities", "relations", "both")

#: What a run picks, beside its stages' settings; ``--set KEY=VALUE`` changes each.
RUN: dict[str, type] = {
    "preset": str,
    "model": str,
    "fusion": str,
    "film_variant": str,
    "bimodal_activation": str,
    "token_score": str,
    "clean_text": bool,
    "photo_words": bool,
    "words_in_text": bool,
    "photo_sources": str,
    "end_to_end": bool,
    "trunk_only": bool,
    "drop_leaks": bool,
    "scheme": str,
    "device": str,
    "init": str,
    "limit": int,
}


@dataclass(frozen=True, kw_only=True)
class RecipeBook:
    """A recipe file. ``run`` holds what a run picks; the rest are settings of stages, layer by layer."""

    name: str
    about: str
    command: str
    expect: str
    text: str
    run: Mapping[str, Any]
    stages: Mapping[str, Mapping[str, Any]]
    tasks: Mapping[str, Mapping[str, Mapping[str, Any]]]
    models: Mapping[str, Mapping[str, Any]]

    def recipe(self, dataset: Dataset, model: str, stage: str) -> Recipe:
        """The settings of a stage for a dataset and a model.

        Raises:
            InputError: the file has no such stage.
        """
        if stage not in self.stages:
            raise InputError(f"the recipe {self.name} has no stage {stage}; it has {', '.join(self.stages)}")
        asked = dataset.tasks[0] if len(dataset.tasks) == 1 else "both"
        own = self.models.get(model, {})
        layers: list[Mapping[str, Any]] = [self.stages[stage], self.tasks.get(asked, {}).get(stage, {})]
        layers += [own.get(stage, {}), own.get(asked, {}).get(stage, {})]
        return replace(Recipe(), **{key: value for layer in layers for key, value in layer.items()})


def list_recipes() -> list[RecipeBook]:
    """The recipes that come with the program, by name."""
    return [read_recipes(path) for path in sorted(FOLDER.glob("*.toml"))]


def read_recipes(name: str | Path) -> RecipeBook:
    """A recipe by its name, or by the path of a file.

    Raises:
        InputError: there is none, it is not TOML, or a setting is unknown or of the wrong type; the message
            names the key.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = FOLDER / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
        stated = tomllib.loads(text)
    except OSError as error:
        known = ", ".join(file.stem for file in sorted(FOLDER.glob("*.toml")))
        raise InputError(f"there is no recipe {quoted(name)}; known: {known}, or a file.toml") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a recipe: {error}") from error
    _check(path, stated)
    return RecipeBook(
        name=path.stem,
        about=stated.get("about", ""),
        command=stated.get("command", ""),
        expect=stated.get("expect", ""),
        text=text,
        run=stated.get("run", {}),
        stages={stage: stated[stage] for stage in STAGES if stage in stated},
        tasks=stated.get("tasks", {}),
        models=stated.get("models", {}),
    )


def _check(path: Path, stated: Mapping[str, Any]) -> None:
    """Every key is known and every value of its type. Raises InputError naming the first that is not."""
    top = {"about", "command", "expect", "run", "tasks", "models", *STAGES}
    for key in stated.keys() - top:
        raise InputError(f"{path}: {quoted(key)} is not known; known: {', '.join(sorted(top))}")
    for key, value in stated.get("run", {}).items():
        if key not in RUN or type(value) is not RUN[key]:
            raise InputError(f"{path}: run.{key} is not known or of the wrong type; known: {', '.join(RUN)}")
    types = {item.name: type(item.default) for item in fields(Recipe)}
    for place, settings in _stage_tables(stated):
        for key, value in settings.items():
            if key not in types or not isinstance(value, (int, float) if types[key] is float else types[key]):
                raise InputError(
                    f"{path}: {place}.{key} is not known or of the wrong type; known: {', '.join(types)}"
                )
    for model in stated.get("models", {}):
        if model not in MODELS:
            raise InputError(f"{path}: models.{model} is not known; known: {', '.join(MODELS)}")


def _stage_tables(stated: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, settings) of every table of a stage's settings."""
    yield from ((stage, stated[stage]) for stage in STAGES if stage in stated)
    for task, tables in stated.get("tasks", {}).items():
        yield from ((f"tasks.{task}.{stage}", table) for stage, table in tables.items())
    for model, tables in stated.get("models", {}).items():
        for key, table in tables.items():
            if key in STAGES:
                yield f"models.{model}.{key}", table
            elif key in ASKED:
                yield from ((f"models.{model}.{key}.{stage}", own) for stage, own in table.items())


def config_of(dataset: Dataset, picked: Mapping[str, Any]) -> ModelConfig:
    """The configuration that a run picks. A variant of FiLM is a fusion of its own, in a folder of its own.

    Raises:
        InputError: a value that there is not.
    """
    shape = [item.name for item in fields(ModelConfig) if item.name in RUN]
    config = ModelConfig(dataset=dataset, **{key: picked[key] for key in shape if key in picked})
    named = f"{config.fusion}-{config.film_variant}"
    return replace(config, fusion=named, film_variant="report") if named in FUSIONS else config


def sources_of(picked: Mapping[str, Any]) -> Named | None:
    """Where a run has the words of its photos from: ``photo_sources``, else all; None where it reads none.

    Raises:
        InputError: a source is unknown, or stated for a run that reads no words.
    """
    stated = picked.get("photo_sources")
    if picked.get("photo_words"):
        return PHOTO_SOURCES if stated is None else sources_named(stated)
    if stated is not None:
        raise InputError("photo_sources says where a photo's words are from; it needs photo_words=true too")
    return None


def read_changes(changes: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What ``--set`` says: settings by stage ("" is every stage), and what the run picks.

    ``["cell.epochs=3", "seed=1", "model=blip"]`` -> ``({"cell": {"epochs": 3}, "": {"seed": 1}}, {"model":
    "blip"})``.

    Raises:
        InputError: no such setting, or a value of the wrong type.
    """
    types = {item.name: type(item.default) for item in fields(Recipe)}
    stages: dict[str, dict[str, Any]] = {}
    run: dict[str, Any] = {}
    for text in changes:
        name, _, value = text.partition("=")
        stage, _, key = name.rpartition(".")
        if not stage and key in RUN:
            run[key] = _value(value, RUN[key], text)
        elif key in types and stage in ("", *STAGES):
            stages.setdefault(stage, {})[key] = _value(value, types[key], text)
        else:
            raise InputError(f"--set {text}: no such setting; settings are {', '.join([*RUN, *types])}")
    return stages, run


def _value(text: str, kind: type, where: str) -> Any:
    truth = {"true": True, "false": False}
    try:
        return truth[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError) as error:
        takes = "true or false" if kind is bool else f"a {kind.__name__}"
        raise InputError(f"--set {where}: it takes {takes}") from error
