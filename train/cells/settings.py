"""What a training run is asked to do, where its stages keep their state, and what its card says of it."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mmdemo.cells.card import config_values
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.files import file_hash, read_json, write_json
from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.records import record_of
from mmdemo.datasets.schema import SPLITS, Dataset
from mmdemo.models.config import BEFORE, ModelConfig
from mmdemo.types import InputError, Question
from train.bases.full_base import Origin
from train.cells.recipes import RecipeBook, read_recipes
from train.cells.start import described
from train.cells.teacher import Teacher
from train.data.photo_reading import Named, sources_named
from train.data.questions import pair_of
from train.data.source import DataSource
from train.fit.recipe import Recipe

#: Where photos' words are from if nothing else is asked for: what files say, all of it.
FROM_FILES = "files"
#: Configuration that the trunk does not depend on.
CELL_ONLY = ("fusion", "film_variant", *BEFORE)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one ``train run`` does.

    ``changes`` override recipe fields, by stage; ``start`` is a checkpoint to take weights from; ``extra``
    are what reviewed posts state (`train.data.reviewed_posts`); ``photos`` is where several runs share
    what their frozen image encoder made of the photos (else each keeps its own in ``work``); ``origin``
    says whence the preset ``full`` has its encoders. A ``teacher`` teaches rows alone.
    """

    config: ModelConfig
    source: DataSource
    out: Path
    work: Path
    device: str = "auto"
    end_to_end: bool = False
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    limit: int | None = None
    start: Path | None = None
    trunk_only: bool = False
    extra: tuple[Question, ...] = ()
    book: RecipeBook = field(default_factory=lambda: read_recipes("lite"))
    photos: Path | None = None
    origin: Origin = field(default_factory=Origin)
    teacher: Teacher | None = None

    @property
    def cache(self) -> Path:
        """The folder of cached photo features."""
        return self.photos or self.work / "regions"

    @property
    def whole(self) -> bool:
        """Whether encoders, fusion and head train at once; full cells always do."""
        return self.end_to_end or self.config.preset == "full"

    @property
    def trunk_sees_photos(self) -> bool:
        """Whether photos make the trunk: a joint encoder mixes them in, an aligned row its tower."""
        return self.config.joint or self.config.row.aligned

    @property
    def origin_facts(self) -> dict[str, str]:
        """What a full cell's result also depends on; empty for the other presets."""
        return {"init": self.origin.init} if self.config.preset == "full" else {}

    def recipe(self, stage: str) -> Recipe:
        """The stage's recipe with this run's changes."""
        chosen = self.book.recipe(self.config.dataset, self.config.model, stage)
        recipe = replace(chosen, **self.changes.get("", {}))
        return replace(recipe, **self.changes.get(stage, {}))


def stage_folder(settings: Settings, stage: str) -> Path:
    """Where a stage keeps its state and log. Other settings than those kept there are an error, not a mix."""
    config = settings.config
    name = config.cell if stage != "trunk" else config.cell.rsplit("/", 1)[0]
    left_out = CELL_ONLY if stage == "trunk" else ()
    facts = _stage_facts(settings, stage, left_out)
    if stage == "trunk" and not settings.trunk_sees_photos:
        facts["photos"] = ""
    return _kept_folder(settings.work / "training" / name / stage, facts)


def row_folder(settings: Settings, fusions: Sequence[str]) -> Path:
    """As `stage_folder`, of a row that trains with these fusions."""
    facts = _stage_facts(settings, "row", ("fusion",)) | {"fusions": list(fusions)}
    return _kept_folder(row_run(settings), facts)


def joint_folder(runs: Sequence[Settings], fusions: Sequence[str]) -> Path:
    """As `row_folder`, of several datasets' rows that train together; the first one's facts lead."""
    config, names = runs[0].config, [run.config.dataset.name for run in runs]
    first, *others = (_stage_facts(run, "row", ("fusion",)) for run in runs)
    facts = first | {"fusions": list(fusions), "with": dict(zip(names[1:], others, strict=True))}
    return _kept_folder(
        runs[0].work / "training" / config.preset / "+".join(names) / config.model / "row", facts
    )


def row_run(settings: Settings) -> Path:
    """Where a row's training run is kept, from which another can start."""
    return settings.work / "training" / settings.config.cell.rsplit("/", 1)[0] / "row"


def _stage_facts(settings: Settings, stage: str, left_out: Sequence[str]) -> dict[str, Any]:
    """All that decides what a stage becomes, but for the configuration that is ``left_out``."""
    config = settings.config
    return {
        "config": {k: v for k, v in config_facts(config).items() if k not in left_out},
        "recipe": asdict(settings.recipe(stage)),
        "data": data_hash(settings.source, config.dataset),
        "photos": settings.source.photo_facts(config.dataset),
        "limit": settings.limit,
        "extra": questions_hash(settings.extra),
        "start": str(settings.start) if settings.start else "",
        **({"teacher": settings.teacher.facts} if settings.teacher else {}),
        **(words_facts(settings) if stage != "trunk" or config.text_sees_words else {}),
        **settings.origin_facts,
    }


def _kept_folder(folder: Path, facts: dict[str, Any]) -> Path:
    """The folder with its facts noted. Raises InputError where it was made by others."""
    file = folder / "stage.json"
    if file.exists() and _completed(read_json(file)) != json.loads(json.dumps(facts)):
        raise InputError(
            f"{folder} holds a run with other settings; remove it or choose another --work folder"
        )
    write_json(file, facts)
    return folder


def _completed(facts: dict[str, Any]) -> dict[str, Any]:
    """A stored stage's facts; a setting that was not there yet had its default."""
    defaults: dict[str, Any] = {"extra": "", "recipe": {}}
    others = (
        {"with": {name: _completed(own) for name, own in facts["with"].items()}} if "with" in facts else {}
    )
    return defaults | facts | others | {"recipe": asdict(Recipe()) | dict(facts.get("recipe", {}))}


def config_facts(config: ModelConfig) -> dict[str, Any]:
    """A configuration as plain values: a dataset that comes with the program by its name, else whole.

    Settings that came later and say nothing of it are left out: what was made before still counts.
    """
    known = bundled().get(config.dataset.name) == config.dataset
    return config_values(config) | {"dataset": config.dataset.name if known else record_of(config.dataset)}


def data_hash(source: DataSource, dataset: Dataset) -> str:
    """SHA-256 over the dataset's files, its pairs and the split scheme."""
    digest = hashlib.sha256(source.scheme.encode())
    for split in sorted(SPLITS):
        if file := dataset.files.of(split):
            digest.update(_bytes(source.folder / file))
    if source.pairs_file:
        digest.update(_bytes(source.pairs_file))
    return digest.hexdigest()


def words_facts(settings: Settings) -> dict[str, str]:
    """A hash of what all photos say in words, by source; nothing of a model that reads none.

    What a file describes, and what is read off a photo by another model or other rules, changes it.
    """
    config = settings.config
    if not config.photo_words:
        return {}
    said = [
        [[one.source, one.by, one.text] for one in post.photo_words]
        for split in SPLITS
        for post in settings.source.told(config.dataset, split, settings.limit)
    ]
    return {"words": hashlib.sha256(json.dumps(said).encode()).hexdigest()}


def sources_stated(condition: str | None) -> Named | None:
    """The sources that a card's conditions name (`Conditions.photo_sources`), to score a cell by the same.

    Raises:
        InputError: one is unknown.
    """
    return sources_named(condition) if condition and condition != FROM_FILES else None


def start_facts(start: Path | None) -> dict[str, str]:
    """A start's folder, and the hash of the file there that tells its weights (see `starts.start_from`)."""
    if start is None:
        return {}
    names = ("best.safetensors", "config.json", "trunk.safetensors")  # config.json holds its files' hashes
    held = next((start / name for name in names if (start / name).is_file()), None)
    return {"folder": str(start), "sha256": file_hash(held) if held else ""}


def questions_hash(questions: Sequence[Question]) -> str:
    """SHA-256 over what questions' posts say and how they are labelled; empty for none."""
    if not questions:
        return ""
    facts: list[Any] = [[q.post.tokens, q.post.image_id, gold_facts(q)] for q in questions]
    if said := [[[w.source, w.text] for w in q.post.photo_words] for q in questions if q.post.photo_words]:
        facts.append(said)
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


def gold_facts(question: Question) -> list[Any]:
    """A question's right answer as plain values."""
    post, pair = question.post, pair_of(question)
    if pair is None:
        return [[[e.start, e.end, e.label] for e in post.entities or ()], post.tags]
    labels = [r.label for r in post.relations or () if r.pair == pair]
    return [[pair.head, pair.tail], labels]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error


def training_record(
    settings: Settings, recipes: dict[str, dict[str, Any]], conditions: Conditions
) -> dict[str, Any]:
    """What a card says of a run; ``recipes`` are the settings of its stages in their order."""
    return {
        "command": "python -m train " + " ".join(sys.argv[1:]),
        "commit": conditions.commit or "unknown",
        "data": settings.source.note_of(settings.config.dataset),
        "data_sha256": data_hash(settings.source, settings.config.dataset),
        "split_scheme": settings.source.scheme,
        "limit": settings.limit,
        "extra_posts": len(settings.extra),
        **({"start": described(settings.start)} if settings.start else {}),
        **({"teacher": settings.teacher.facts} if settings.teacher else {}),
        "recipe": settings.book.name,
        "recipes": recipes,
        "conditions": conditions.json(),
        **settings.origin_facts,
    }


def provenance(training: dict[str, Any]) -> dict[str, Any]:
    """What metrics.json says of the run beside its figures."""
    kept = ("data", "command", "commit", "split_scheme", "conditions")
    return {"seed": first_seed(training["recipes"]), **{key: training[key] for key in kept}}


def first_seed(recipes: dict[str, dict[str, Any]]) -> int:
    """The seed of a run's first stage."""
    return int(next(iter(recipes.values()))["seed"])
