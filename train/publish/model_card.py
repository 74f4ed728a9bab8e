"""Model cards for the Hub, written from a cell's own config.json and metrics.json."""

import json
from collections.abc import Sequence
from typing import Any

from mmdemo.cells.card import Card
from mmdemo.cells.conditions import Conditions, marks_text
from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import Dataset
from mmdemo.measures import figure, headline_of, shown
from mmdemo.models.config import FUSIONS

CONDITIONS = {
    "photo": "the posts' photos",
    "blank": "a grey photo each",
    "shuffled": "another post's photo, one draw",
    "none": "no photo",
}

STANDINS = """The photos were **caption-matched stand-ins**: the original tweet photos cannot be
redistributed. Each post has instead a Flickr8k photo whose caption is nearest to a machine
caption of its original photo, and about a fifth of the posts have none. These figures say
nothing about what the original photos bring and are not comparable with image results from the
literature."""

REPORT_SPLITS = """The report's splits are all posts shuffled and parted 70:15:15. A text that has several
rows, as where each pair of entities is a row, may stand in the training rows and in the test rows: figures of
these splits are flattered then (the code's docs/training.md has how much)."""

LIMITS = """- Posts like those of the data, in their language; 128 sub-tokens, longer texts are cut.
- Other kinds of entities or relations than the dataset's are not found.
- One seed: differences of a few tenths of a point are noise. Compare the photo conditions before
  crediting the photo.
- Accuracy flatters: most words are in no entity and most pairs have no relation, so that a model which never
  finds one is right about most of them and has an F1 of 0.
- Not for identifying people, judging them, or decisions about them."""

ALIGNED = """It stands on the text trunk of another model, named below, as that was trained. Its own trunk is
the image tower, aligned with captions of photos (`align`)."""

LICENCE = """Apache-2.0 for the weights, as far as it is ours to say; the pretrained encoders' sources and
licences are in the code repository's `checkpoints/README.md`; where the data are from is told above. Whoever
uses those data accepts the copyrights of the posts' platform and the dataset's providers."""


def cell_card(card: Card, repo: str) -> str:
    """The README.md of one cell's folder."""
    config = card.config
    data = str(card.training.get("data", "not stated"))
    return "\n\n".join(
        [
            _front_matter(config.dataset.tasks[0], [config.dataset.name, config.fusion]),
            f"# {config.cell}",
            f"{config.dataset.title}. Fusion: {FUSIONS[config.fusion].line}.",
            f"**What truly runs: {config.runs}.**",
            "## Data",
            f"{config.dataset.name}, {card.training.get('split_scheme', 'official')} splits. Photos: {data}.",
            *([REPORT_SPLITS] if card.training.get("split_scheme") == "report" else []),
            *([STANDINS] if "stand-in" in data else []),
            _source(config.dataset),
            "## Figures",
            *_marks(card.metrics),
            figures(card.metrics, config.dataset.tasks),
            conditions(card.metrics),
            "## Limits",
            LIMITS,
            "## How to load",
            _loading(config.cell, repo),
            "## How it was trained",
            _training(card.training),
            "## Licence",
            LICENCE,
            "",
        ]
    )


def root_card(cards: Sequence[Card], repo: str) -> str:
    """The README.md of the whole repository: its cells, each with the figure that the field reports."""
    rows = []
    for card in cards:
        measure = headline_of(card.config.dataset.tasks[0])
        value = figure(card.metrics, ("splits", "test", "photo", *measure.path))
        percent = "-" if value is None else f"{100 * value:.2f}"
        if value is not None and (marks := marks_text(card.metrics)):
            percent += f" ({marks})"
        rows.append(f"| [{card.config.cell}]({card.config.cell}) | {measure.card} | {percent} |")
    standins = any("stand-in" in str(card.training.get("data", "")) for card in cards)
    shuffled = any(card.training.get("split_scheme") == "report" for card in cards)
    return "\n\n".join(
        [
            _front_matter("entities", sorted({card.config.dataset.name for card in cards})),
            "# mmdemo checkpoints",
            "Multimodal named entities and relations in tweets: a text encoder, an image encoder and one of "
            "several fusions. Each folder below has a card of its own.",
            "\n".join(["| cell | figure on the test split | with photos |", "|---|---|--:|", *rows]),
            *([REPORT_SPLITS] if shuffled else []),
            *([STANDINS] if standins else []),
            "## Data",
            *dict.fromkeys(_source(card.config.dataset) for card in cards),
            "## How to load",
            _loading(cards[0].config.cell, repo),
            "## Limits",
            LIMITS,
            "## Licence",
            LICENCE,
            "",
        ]
    )


def figures(metrics: dict[str, Any], tasks: Sequence[str]) -> str:
    """Tables of validation and test, under each photo condition; what is not stated is left out."""
    measures = shown("table", *tasks)
    parts = []
    for split in ("test", "valid"):
        rows = []
        for condition, title in CONDITIONS.items():
            values = [figure(metrics, ("splits", split, condition, *m.path)) for m in measures]
            if any(value is not None for value in values):
                percents = ["-" if value is None else f"{100 * value:.2f}" for value in values]
                rows.append(f"| {title} | " + " | ".join(percents) + " |")
        if rows:
            head = f"| {split} split, with | " + " | ".join(m.card for m in measures) + " |"
            parts.append("\n".join([head, "|---|" + "--:|" * len(measures), *rows]))
    if stated := metrics.get("calibration"):
        several = {task: stated[task] for task in tasks if task in stated}
        parts += [f"Of {task}: {_calibration(one)}" for task, one in several.items()]
        parts += [] if several else [_calibration(stated)]
    return "\n\n".join(parts) or "No figures are stated."


def _marks(metrics: dict[str, Any]) -> list[str]:
    """A sentence before the figures where they are not like the others."""
    marks = marks_text(metrics)
    return [f"**Marked: {marks}.**"] if marks else []


def conditions(metrics: dict[str, Any]) -> str:
    """Under which conditions the figures were measured, one a line."""
    facts = Conditions.of(metrics).facts
    return "\n".join(
        ["| condition | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items())]
    )


def _source(dataset: Dataset) -> str:
    """Whose the data are: the record's own word, or the one that comes with the program for its like."""
    known = bundled().get(dataset.name)
    like = known if known and known.entities == dataset.entities and known.tasks == dataset.tasks else None
    source = dataset.source or (like.source if like else "")
    return f"{dataset.title}: {source}." if source else f"{dataset.title}: its source is not stated."


def _calibration(stated: dict[str, Any]) -> str:
    """How scores are made honest: a temperature, and a map of entities' scores where one could be fitted."""
    mapped = "; entity scores then pass a map that was fitted there too" if stated.get("entity") else ""
    return (
        f"Logits are divided by a temperature of {stated['temperature']:.2f}, fitted on validation{mapped}. "
        f"Expected calibration error on test: {stated['before']['ece']:.3f} before, "
        f"{stated['after']['ece']:.3f} after."
    )


def _front_matter(task: str, tags: Sequence[str]) -> str:
    kind = "token-classification" if task == "entities" else "text-classification"
    rows = ["license: apache-2.0", "language: en", f"pipeline_tag: {kind}", "library_name: mmdemo", "tags:"]
    return "\n".join(["---", *rows, *(f"- {tag}" for tag in ("multimodal", *tags)), "---"])


def _loading(cell: str, repo: str) -> str:
    preset, dataset, model, fusion = cell.split("/")
    return f"""With the code of mmdemo, and the commit that this page's history shows (a branch can move):

```bash
export MMDEMO_HUB_REPO={repo} MMDEMO_HUB_REVISION=<the commit's 40 digits>
python -m mmdemo predict --dataset {dataset} --model {model} --fusion {fusion} --preset {preset} --text "…"
```

Every file is checked against the commit's hashes; after the first use no network is needed. The files are
safetensors and JSON: no pickle."""


def _training(training: dict[str, Any]) -> str:
    command = training.get("command")
    text = f"```bash\n{command}\n```" if command else "The command is not stated."
    if commit := training.get("commit"):
        text += f"\n\nCode at commit `{commit}`."
    if recipes := training.get("recipes"):
        if "align" in recipes:
            text += f"\n\n{ALIGNED}"
        text += f"\n\n```json\n{json.dumps(recipes, indent=1)}\n```"
    return text
