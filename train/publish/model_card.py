"""Model cards for the Hub, written from a cell's own config.json and metrics.json."""

import json
from collections.abc import Sequence
from functools import reduce
from typing import Any

from mmdemo.cells.checkpoint import Card
from mmdemo.models.config import DATASETS, FUSIONS
from train.publish.results import NER_COLUMNS, RE_COLUMNS

#: Column titles for the figures of `train.publish.results`: the field's first, the report's after them.
TITLES = {
    "ner": ("entity F1", "entity F1, strict", "token accuracy", "token F1, weighted, with O"),
    "re": ("micro-F1 without None", "macro F1", "accuracy", "weighted F1"),
}
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

REPORT_SPLITS = """The report's splits are all posts shuffled and parted 70:15:15. MNRE has many sentences in
several rows, one for each pair of entities, so that 52 % of its test rows have their sentence in the training
rows too: figures of these splits on MNRE are flattered. On the Twitter sets it is under 1 %."""

LIMITS = """- English tweets like those of the data; 128 sub-tokens, longer texts are cut.
- Other kinds of entities or relations than the dataset's are not found.
- One seed: differences of a few tenths of a point are noise. Compare the photo conditions before
  crediting the photo.
- Token accuracy flatters: a tagger that says O everywhere scores about 0.8 on the Twitter sets and 0 entity
  F1; one that always answers `None` scores about 0.6 accuracy on MNRE and 0 micro-F1.
- Not for identifying people, judging them, or decisions about them."""

ALIGNED = """It stands on the text trunk of another model, named below, as that was trained. Its own trunk is
the image tower, aligned with captions of photos (`align`)."""

LICENCE = """Apache-2.0 for the weights, as far as it is ours to say; the pretrained encoders' sources and
licences are in the code repository's `checkpoints/README.md`. Trained on the public research
releases of Twitter2015/2017 (jefferyYu/UMT) and MNRE v2 (thecharm/MNRE); whoever uses those
data accepts the copyrights set by Twitter and the dataset providers."""


def cell_card(card: Card, repo: str) -> str:
    """The README.md of one cell's folder."""
    config = card.config
    data = str(card.training.get("data", "not stated"))
    return "\n\n".join(
        [
            _front_matter(config.task, [config.dataset, config.fusion]),
            f"# {config.cell}",
            f"{DATASETS[config.dataset].title}. Fusion: {FUSIONS[config.fusion]}.",
            f"**What truly runs: {config.runs}.**",
            "## Data",
            f"{config.dataset}, {card.training.get('split_scheme', 'official')} splits. Photos: {data}.",
            *([REPORT_SPLITS] if card.training.get("split_scheme") == "report" else []),
            *([STANDINS] if "stand-in" in data else []),
            "## Figures",
            figures(card.metrics, config.task),
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
        columns = NER_COLUMNS if card.config.task == "ner" else RE_COLUMNS
        value = _figure(card.metrics, ("splits", "test", "photo", *columns[0]))
        shown = "-" if value is None else f"{100 * value:.2f}"
        rows.append(f"| [{card.config.cell}]({card.config.cell}) | {TITLES[card.config.task][0]} | {shown} |")
    standins = any("stand-in" in str(card.training.get("data", "")) for card in cards)
    shuffled = any(card.training.get("split_scheme") == "report" for card in cards)
    return "\n\n".join(
        [
            _front_matter("ner", sorted({card.config.dataset for card in cards})),
            "# mmdemo checkpoints",
            "Multimodal named entities and relations in tweets: a text encoder, an image encoder and one of "
            "several fusions. Each folder below has a card of its own.",
            "\n".join(["| cell | figure on the test split | with photos |", "|---|---|--:|", *rows]),
            *([REPORT_SPLITS] if shuffled else []),
            *([STANDINS] if standins else []),
            "## How to load",
            _loading(cards[0].config.cell, repo),
            "## Limits",
            LIMITS,
            "## Licence",
            LICENCE,
            "",
        ]
    )


def figures(metrics: dict[str, Any], task: str) -> str:
    """Tables of validation and test, under each photo condition; what is not stated is left out."""
    columns = NER_COLUMNS if task == "ner" else RE_COLUMNS
    parts = []
    for split in ("test", "valid"):
        rows = []
        for condition, title in CONDITIONS.items():
            values = [_figure(metrics, ("splits", split, condition, *path)) for path in columns]
            if any(value is not None for value in values):
                shown = ["-" if value is None else f"{100 * value:.2f}" for value in values]
                rows.append(f"| {title} | " + " | ".join(shown) + " |")
        if rows:
            head = f"| {split} split, with | " + " | ".join(TITLES[task]) + " |"
            parts.append("\n".join([head, "|---|" + "--:|" * len(columns), *rows]))
    if calibration := metrics.get("calibration"):
        parts.append(_calibration(calibration))
    return "\n\n".join(parts) or "No figures are stated."


def _calibration(stated: dict[str, Any]) -> str:
    """How scores are made honest: a temperature, and a map of entities' scores where one could be fitted."""
    mapped = "; entity scores then pass a map that was fitted there too" if stated.get("entity") else ""
    return (
        f"Logits are divided by a temperature of {stated['temperature']:.2f}, fitted on validation{mapped}. "
        f"Expected calibration error on test: {stated['before']['ece']:.3f} before, "
        f"{stated['after']['ece']:.3f} after."
    )


def _figure(metrics: Any, path: Sequence[str]) -> float | None:
    """A figure deep in metrics.json, or None where it is not stated."""
    value = reduce(lambda held, key: held.get(key) if isinstance(held, dict) else None, path, metrics)
    return float(value) if isinstance(value, int | float) else None


def _front_matter(task: str, tags: Sequence[str]) -> str:
    kind = "token-classification" if task == "ner" else "text-classification"
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
