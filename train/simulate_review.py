"""What reviewing buys: train on a part, review the posts that a queue puts first, train again, and compare.

The reviewer is simulated: a post's answer is the dataset's own gold. Orders are the review queue's: posts
whose tags are least certain (entropy), on which two fusions disagree, or whose answer changes without the
photo (flip), beside random ones. The test split is scored for the curve alone; nothing is chosen by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdemo.checkpoint import load_card, load_model
from mmdemo.decode import best_tags
from mmdemo.files import read_json, write_json
from mmdemo.labels import bio_tags
from mmdemo.types import InputError, Post
from mmdemo.zoo import post_encoder
from train.data import DataSource
from train.evaluate import answers, condition_posts
from train.metrics import headline
from train.run import run_cells, run_trunk
from train.settings import Settings

ORDERS = ("random", "entropy", "disagreement", "flip")
SECOND_FUSION = "concat"  # what the first fusion is compared with for disagreement


@dataclass(frozen=True, kw_only=True)
class Partial(DataSource):
    """A data source whose training split is given; validation and test stay whole."""

    training: tuple[Post, ...] = ()

    def posts(self, dataset: str, split: str) -> list[Post]:
        return list(self.training) if split == "train" else super().posts(dataset, split)


def simulate(
    settings: Settings, *, share: float, reviews: int, orders: Sequence[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Figures by queue order; written to ``settings.out/simulate_review.json`` with a plot beside it.

    Args:
        settings: an entity cell's; its work and out folders take a sub-folder for each order.
        share: part of the training posts that the first model sees (the rest is the queue).
        reviews: how many posts of the queue are reviewed.

    Raises:
        InputError: a dataset of relations, an unknown order, or fewer posts than reviews.
    """
    if unknown := [order for order in orders if order not in ORDERS]:
        raise InputError(f"unknown order {unknown[0]!r}; known: {', '.join(ORDERS)}")
    if settings.config.task != "ner":
        raise InputError("the simulation reviews entities; choose twitter2015 or twitter2017")
    posts = settings.source.posts(settings.config.dataset, "train")[: settings.limit]
    seed = settings.recipe("cell").seed
    shuffled = [posts[i] for i in np.random.default_rng(seed).permutation(len(posts))]
    size = round(share * len(posts))
    first, queue = shuffled[:size], shuffled[size:]
    if len(queue) < reviews or not first:
        raise InputError(f"{len(posts)} posts do not leave {share:.0%} to train on and {reviews} to review")
    dataset, fusion = settings.config.dataset, settings.config.fusion
    found: dict[str, Any] = {"posts": size, "reviews": reviews, "seed": seed, "dataset": dataset}
    start, found["before"] = _train(settings, first, "start", None, (fusion, SECOND_FUSION))
    say(f"before: {found['before']}")
    scores = queue_scores(settings, queue, settings.out / "start")
    found["after"] = {}
    for order in orders:
        ranked = np.argsort(-scores[order], kind="stable")[:reviews]
        chosen = [queue[i] for i in ranked]
        _, figures = _train(settings, [*first, *chosen], order, start)
        entities = sum(len(post.entities or ()) for post in chosen)
        found["after"][order] = figures | {"entities": entities}
        say(f"{order}: {found['after'][order]}")
        write_json(settings.out / "simulate_review.json", found)
    plot(found).savefig(settings.out / "simulate_review.png", dpi=120)
    return found


def _train(
    settings: Settings,
    posts: Sequence[Post],
    name: str,
    start: Path | None,
    fusions: Sequence[str] = (),
) -> tuple[Path, dict[str, float]]:
    """Train a trunk and its cells on the posts; the trunk's run, and the first fusion's figures."""
    source = settings.source
    partial = Partial(folder=source.folder, images=source.images, pairs=source.pairs, training=tuple(posts))
    own = replace(
        settings, source=partial, out=settings.out / name, work=settings.work / name, start=start, limit=None
    )
    trunk = run_trunk(own)
    folders = list(run_cells(own, trunk, fusions or [settings.config.fusion]))
    splits = read_json(folders[0] / "metrics.json")["splits"]
    return trunk.run, {split: headline(splits[split]["photo"]) for split in ("valid", "test")}


def queue_scores(settings: Settings, queue: Sequence[Post], root: Path) -> dict[str, np.ndarray]:
    """For each order a number a post: the higher, the earlier it is reviewed."""
    fusions = (settings.config.fusion, SECOND_FUSION)
    first, second = (_tag_probabilities(settings, queue, root, fusion) for fusion in fusions)
    tags = bio_tags(settings.config.dataset)
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
    cache = settings.work / "start" / "regions"
    posts = condition_posts(model, encoder, queue, root, cache, conditions=("photo", "none"))
    return answers(model, posts)


def plot(found: dict[str, Any]) -> Figure:
    """Test figure before and after, a line for each order."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    colours = {"random": "#555555", "entropy": "#0072B2", "disagreement": "#B84A00", "flip": "#A2487A"}
    before = 100 * found["before"]["test"]
    for order, after in found["after"].items():
        line = [before, 100 * after["test"]]
        axes.plot([0, found["reviews"]], line, "o-", color=colours[order], label=f"{order} ({line[1]:.1f})")
    axes.set(xlabel="posts reviewed", ylabel="test entity F1", title=f"{found['dataset']}, by queue order")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def render(found: dict[str, Any]) -> str:
    """A Markdown table of the figures."""
    lines = ["| order | entities seen | valid F1 | test F1 |", "|---|--:|--:|--:|"]
    lines.append(f"| before | - | {_percent(found['before'])} |")
    for order, after in found["after"].items():
        lines.append(f"| {order} | {after['entities']} | {_percent(after)} |")
    return "\n".join(lines)


def _percent(figures: dict[str, float]) -> str:
    return f"{100 * figures['valid']:.2f} | {100 * figures['test']:.2f}"
