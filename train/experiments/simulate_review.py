"""What reviewing buys: train on a part, review the posts that a queue puts first, train on, and compare.

The reviewer is simulated: a post's answer is the dataset's own gold. Orders are like the review queue's, in
simpler form: posts with the least certain tag (the queue sums over tags), whose tags two fusions see
differently (the queue compares all fusions' spans), or whose tags change without the photo (flip), beside
random ones. Every retraining starts from the first model; one without any review is
the control, so that further epochs alone do not pass for a gain. The test split is scored for the curve
alone; nothing is chosen by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import load_model
from mmdemo.cells.files import read_json, write_json
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.schema import Dataset
from mmdemo.models.decode import best_tags
from mmdemo.types import InputError, Post, Question, quoted
from train.cells.run import run_cells, run_trunk
from train.cells.settings import Settings
from train.data.questions import ENTITIES
from train.data.source import DataSource
from train.score.evaluate import answers, condition_posts
from train.score.metrics import headline

ORDERS = ("random", "entropy", "disagreement", "flip")
SECOND_FUSION = "concat"  # what the first fusion is compared with for disagreement


@dataclass(frozen=True, kw_only=True)
class Partial(DataSource):
    """A data source whose training split is given; validation and test stay whole."""

    training: tuple[Post, ...] = ()

    def posts(self, dataset: Dataset, split: str) -> list[Post]:
        return list(self.training) if split == "train" else super().posts(dataset, split)


#: How the trunk goes on from the first model: gently, as it has seen two thirds or more of these posts.
AGAIN = {"epochs": 2, "text_lr": 1e-4, "members": 1}


def simulate(
    settings: Settings,
    *,
    share: float,
    reviews: int,
    orders: Sequence[str],
    say: Callable[[str], None],
    steps: int = 2,
    again: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Figures by queue order; written to ``settings.out/simulate_review.json`` with a plot beside it.

    Args:
        settings: an entity cell's; its work and out folders take a sub-folder for each training.
        share: part of the training posts that the first model sees (the rest is the queue).
        reviews: how many posts of the queue are reviewed at the end.
        steps: how often the model is retrained on the way there, at equal distances.
        again: the trunk's recipe when it goes on from the first model, else `AGAIN`.

    Raises:
        InputError: a dataset of relations, an unknown order, or fewer posts than reviews or steps.
    """
    if unknown := [order for order in orders if order not in ORDERS]:
        raise InputError(f"unknown order {quoted(unknown[0])}; known: {', '.join(ORDERS)}")
    if not settings.config.dataset.has_entities:
        raise InputError("the simulation reviews entities; choose a dataset that has them")
    first, queue, seed = _parted(settings, share, reviews)
    points = _points(reviews, steps)
    dataset, fusion = settings.config.dataset.name, settings.config.fusion
    found: dict[str, Any] = {"posts": len(first), "seed": seed, "dataset": dataset, "curves": {}}
    start, found["before"] = _train(settings, first, "start", (fusion, SECOND_FUSION))
    say(f"trained on {len(first)} posts: {found['before']}")
    scores = queue_scores(settings, queue, settings.out / "start")

    changes = settings.changes | {"trunk": settings.changes.get("trunk", {}) | (again or AGAIN)}
    further = replace(settings, start=start, changes=changes)
    _, control = _train(further, first, "control", (fusion,))
    found["control"] = control
    say(f"trained on without a review: {control}")
    for order in orders:
        ranked = [queue[i] for i in np.argsort(-scores[order], kind="stable")]
        curve = found["curves"][order] = []
        for count in points:
            _, figures = _train(further, [*first, *ranked[:count]], f"{order}-{count}", (fusion,))
            entities = sum(len(post.entities or ()) for post in ranked[:count])
            curve.append(figures | {"reviews": count, "entities": entities})
            say(f"{order}, {count} reviews: {curve[-1]}")
            write_json(settings.out / "simulate_review.json", found)
    plot(found).savefig(settings.out / "simulate_review.png", dpi=110)
    return found


def _points(reviews: int, steps: int) -> list[int]:
    """After how many reviews the model is retrained: ``steps`` times, at equal distances."""
    if not 0 < steps <= reviews:
        raise InputError(f"{reviews} reviews cannot be made in {steps} steps")
    return [round(reviews * step / steps) for step in range(1, steps + 1)]


def _parted(settings: Settings, share: float, reviews: int) -> tuple[list[Post], list[Post], int]:
    """The training posts in two: those of the first model, and the queue; and the seed that parts them."""
    posts = settings.source.posts(settings.config.dataset, "train")[: settings.limit]
    seed = settings.recipe("cell").seed
    shuffled = [posts[i] for i in np.random.default_rng(seed).permutation(len(posts))]
    size = round(share * len(posts))
    if len(posts) - size < reviews or not size:
        raise InputError(f"{len(posts)} posts do not leave {share:.0%} to train on and {reviews} to review")
    return shuffled[:size], shuffled[size:], seed


def _train(
    settings: Settings, posts: Sequence[Post], name: str, fusions: Sequence[str]
) -> tuple[Path, dict[str, float]]:
    """Train a trunk and its cells on the posts; the trunk's run, and the first fusion's figures."""
    source = settings.source
    partial = Partial(folder=source.folder, images=source.images, pairs=source.pairs, training=tuple(posts))
    own = replace(
        settings,
        source=partial,
        out=settings.out / name,
        work=settings.work / name,
        photos=settings.cache,
        limit=None,
    )
    trunk = run_trunk(own)
    folders = list(run_cells(own, trunk, fusions))
    splits = read_json(folders[0] / "metrics.json")["splits"]
    return trunk.run, {split: headline(splits[split]["photo"]) for split in ("valid", "test")}


def queue_scores(settings: Settings, queue: Sequence[Post], root: Path) -> dict[str, np.ndarray]:
    """For each order a number a post: the higher, the earlier it is reviewed."""
    fusions = (settings.config.fusion, SECOND_FUSION)
    first, second = (_tag_probabilities(settings, queue, root, fusion) for fusion in fusions)
    tags = settings.config.dataset.tags
    read = [best_tags(rows, tags) for rows in first["photo"]]
    rng = np.random.default_rng(settings.recipe("cell").seed)
    return {
        "random": rng.random(len(queue)),
        "entropy": np.array([entropy(rows) for rows in first["photo"]]),
        "disagreement": _differing(read, [best_tags(rows, tags) for rows in second["photo"]]),
        "flip": _differing(read, [best_tags(rows, tags) for rows in first["none"]]),
    }


def entropy(rows_WT: np.ndarray) -> float:
    """The largest entropy of a post's words, in nats: one doubtful word is reason enough to look."""
    safe_WT = np.clip(rows_WT, 1e-12, None)
    return float(np.nanmax(-(safe_WT * np.log(safe_WT)).sum(axis=1), initial=0.0))


def _differing(ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]]) -> np.ndarray:
    """How many words of each post two readings tag differently."""
    pairs = zip(ours, theirs, strict=True)
    return np.array([sum(a != b for a, b in zip(x, y, strict=True)) for x, y in pairs])


def _tag_probabilities(
    settings: Settings, queue: Sequence[Post], root: Path, fusion: str
) -> dict[str, list[np.ndarray]]:
    config = replace(settings.config, fusion=fusion)
    folder = root / config.cell
    model = load_model(root, folder, load_card(folder))
    encoder = post_encoder(config, root)
    questions = [Question(post=post, ask=ENTITIES) for post in queue]
    asked = condition_posts(model, encoder, questions, root, settings.cache, conditions=("photo", "none"))
    return answers(model, asked)


COLOURS = {"random": "#555555", "entropy": "#0072B2", "disagreement": "#B84A00", "flip": "#A2487A"}


def plot(found: dict[str, Any]) -> Figure:
    """Test figures against reviews, a line for each order, from the control on."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for order, curve in found["curves"].items():
        counts = [0, *(point["reviews"] for point in curve)]
        scores = [100 * point["test"] for point in (found["control"], *curve)]
        axes.plot(counts, scores, "o-", color=COLOURS[order], label=f"{order} ({scores[-1]:.1f})")
    axes.axhline(100 * found["before"]["test"], color="#999999", linewidth=1, linestyle=":")
    axes.set(xlabel="posts reviewed", ylabel="test entity F1", title=f"{found['dataset']}, by queue order")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def render(found: dict[str, Any]) -> str:
    """A Markdown table of the figures."""
    lines = ["| queue order | reviews | entities in them | valid F1 | test F1 |", "|---|--:|--:|--:|--:|"]
    lines.append(f"| first model | 0 | 0 | {_percent(found['before'])} |")
    lines.append(f"| trained on, no review | 0 | 0 | {_percent(found['control'])} |")
    for order, curve in found["curves"].items():
        for point in curve:
            lines.append(f"| {order} | {point['reviews']} | {point['entities']} | {_percent(point)} |")
    return "\n".join(lines)


def _percent(figures: dict[str, float]) -> str:
    return f"{100 * figures['valid']:.2f} | {100 * figures['test']:.2f}"
