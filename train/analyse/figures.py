"""The figures of the analysis, drawn with matplotlib without its global state, as images in data URIs."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from train.analyse.page import data_uri, image_uri
from train.analyse.photos import PhotoFacts
from train.analyse.texts import SplitFacts

SPLIT_COLOURS = {"train": "#0072B2", "valid": "#E69F00", "test": "#00795A"}
#: Posts below this many by chance say nothing about a class: the cell stays blank.
FEW = 5
STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "svg.hashsalt": "mmdemo",  # the same data give the same bytes
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawn figure. ``uri`` holds the whole image; ``alt`` says in words what it shows."""

    title: str
    note: str
    alt: str
    uri: str
    wide: bool = False


def lengths(splits: Mapping[str, SplitFacts], limit: int) -> Figure:
    """Words and sub-tokens a post, as shares of each split."""
    canvas, axes = _panels(2)
    for axis, name, what in ((axes[0], "words", "words"), (axes[1], "subtokens", "sub-tokens of MiniLM")):
        values = {split: np.array(getattr(facts, name)) for split, facts in splits.items()}
        top = max(int(v.max()) for v in values.values())
        for split, numbers in values.items():
            share = np.bincount(numbers, minlength=top + 1) / len(numbers) * 100
            axis.step(range(top + 1), share, where="mid", color=SPLIT_COLOURS[split], label=split)
        axis.set(xlabel=f"{what} a post", ylabel="% of posts", xlim=(0, None), ylim=(0, None))
        axis.legend(frameon=False)
    means = ", ".join(f"{split} {np.mean(f.words):.1f}" for split, f in splits.items())
    longest = max(max(f.subtokens) for f in splits.values())
    cut = sum(n > limit for f in splits.values() for n in f.subtokens)
    fits = "every post is read whole" if not cut else f"{cut} posts are cut"
    return _figure(
        canvas,
        "Text lengths",
        f"Words a post on average: {means}. The longest has {longest} sub-tokens of {limit} allowed: {fits}.",
    )


def label_shares(splits: Mapping[str, SplitFacts], is_ner: bool) -> Figure:
    """Entity types or relations, as shares of each split's labels."""
    total: Counter[str] = sum((facts.labels for facts in splits.values()), Counter())
    names = [name for name, _ in total.most_common()]
    return _grouped(
        splits,
        names,
        {split: [facts.labels[name] for name in names] for split, facts in splits.items()},
        "Entities by type" if is_ner else "Relations",
        "Shares of the split's entities; like shares mean that the splits are alike."
        if is_ner
        else "Shares of the split's rows, on a logarithmic axis: most are rare, some lack a test row.",
        log=not is_ner,
        upright=not is_ner,
        wide=not is_ner,
    )


def tag_shares(splits: Mapping[str, SplitFacts]) -> Figure:
    """BIO tags, as shares of each split's words, on a logarithmic axis for O."""
    total: Counter[str] = sum((facts.tags for facts in splits.values()), Counter())
    names = sorted(total, key=lambda tag: (tag != "O", tag[2:], tag))
    share = total["O"] / max(1, total.total())
    return _grouped(
        splits,
        names,
        {split: [facts.tags[name] for name in names] for split, facts in splits.items()},
        "Tags",
        f"Shares of the words, on a logarithmic axis. O alone is {share:.1%}: a tagger that says O "
        "everywhere has that token accuracy and finds no entity.",
        log=True,
    )


def entities_per_post(splits: Mapping[str, SplitFacts]) -> Figure:
    """How many posts have no entity, one, two …"""
    top = 6
    names = [*map(str, range(top)), f"{top}+"]
    counts = {
        split: np.bincount(np.minimum(facts.per_post, top), minlength=top + 1).tolist()
        for split, facts in splits.items()
    }
    means = ", ".join(f"{split} {np.mean(f.per_post):.2f}" for split, f in splits.items())
    return _grouped(
        splits, names, counts, "Entities per post", f"Shares of the posts. On average: {means}.", upright=True
    )


def coverage(photos: Mapping[str, tuple[int, int, int]]) -> Figure:
    """For each split: posts with a readable photo, with a broken one, without."""
    canvas, (axis,) = _panels(1, height=0.6 + 0.4 * len(photos))
    left = np.zeros(len(photos))
    kinds = (("with a photo", "#0072B2"), ("photo broken", "#B84A00"), ("no photo", "#C9CDD2"))
    shares = np.array([np.array(counts) / max(1, sum(counts)) * 100 for counts in photos.values()])
    for (kind, colour), part in zip(kinds, shares.T, strict=True):
        axis.barh(list(photos), part, left=left, color=colour, label=kind, height=0.7)
        left += part
    for y, (share, counts) in enumerate(zip(shares, photos.values(), strict=True)):
        axis.text(1, y, f"{share[0]:.0f} % of {sum(counts)}", va="center", color="white")
    axis.invert_yaxis()
    axis.set(xlabel="% of posts", xlim=(0, 100))
    axis.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    note = "A post without a readable photo is normal input: the model then answers from the text alone."
    return _figure(canvas, "Photo coverage", note)


def photo_looks(facts: Mapping[str, Sequence[PhotoFacts]]) -> Figure:
    """Sides in pixels, and brightness by split."""
    canvas, axes = _panels(2)
    sizes = Counter((f.width, f.height) for rows in facts.values() for f in rows)
    if sizes:
        wide, high, counts = np.array([(w, h, n) for (w, h), n in sizes.items()]).T
        axes[0].scatter(wide, high, s=np.clip(counts, 8, 200), color="#0072B2", alpha=0.5, linewidths=0)
    axes[0].set(xlabel="width, pixels", ylabel="height, pixels", xlim=(0, None), ylim=(0, None))
    for split, rows in facts.items():
        if rows:
            values = [f.brightness for f in rows]
            weights = np.full(len(rows), 100 / len(rows))
            style: dict[str, Any] = {
                "histtype": "step",
                "linewidth": 1.5,
                "color": SPLIT_COLOURS[split],
                "label": split,
            }
            axes[1].hist(values, bins=20, range=(0, 1), weights=weights, **style)
    axes[1].set(xlabel="mean brightness (0 black, 1 white)", ylabel="% of photos", xlim=(0, 1))
    if any(facts.values()):
        axes[1].legend(frameon=False)
    return _figure(canvas, "Photo sizes and brightness", _size_note(sizes))


def _size_note(sizes: Counter[tuple[int, int]]) -> str:
    if not sizes:
        return "There is no photo."
    (width, height), most = sizes.most_common(1)[0]
    if len(sizes) == 1:
        return f"Every photo is {width}x{height}."
    return f"{len(sizes)} sizes; the most frequent, {width}x{height}, has {most / sizes.total():.0%}."


def content_heatmap(
    labels: Sequence[tuple[set[str], str]], title_of_rows: str, columns: int = 18
) -> Figure | None:
    """Class x image content: how much more often than by chance the two meet, as a power of two.

    Args:
        labels: for each post with a photo, its classes and its photo's content.
    """
    if not labels:
        return None
    contents = [name for name, _ in Counter(content for _, content in labels).most_common(columns)]
    by_class = Counter(name for names, _ in labels for name in names)
    classes = [name for name, count in by_class.most_common() if count >= 4 * FEW]
    if not classes:
        return None
    pairs = Counter((name, content) for names, content in labels for name in names)
    met = np.array([[pairs[name, content] for content in contents] for name in classes])
    share = np.array([sum(content == c for _, content in labels) for c in contents]) / len(labels)
    chance = np.array([by_class[name] for name in classes])[:, None] * share
    lift = np.log2(np.maximum(met, 0.5) / chance)
    lift[chance < FEW] = np.nan
    canvas = Canvas(figsize=(10.5, 1.9 + 0.3 * len(classes)), layout="constrained")
    axis = canvas.subplots()
    shown = axis.imshow(lift, cmap="PuOr_r", vmin=-2, vmax=2, aspect="auto")
    axis.set_xticks(range(len(contents)), contents, rotation=40, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(classes)), [f"{name} ({by_class[name]})" for name in classes])
    axis.spines[:].set_visible(False)
    for (row, column), count in np.ndenumerate(met):
        strong = abs(lift[row, column]) > 1.3
        colour = "white" if strong else "#222"
        axis.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=7)
    bar = canvas.colorbar(shown, ax=axis, ticks=[-2, -1, 0, 1, 2], pad=0.01)
    bar.ax.set_yticklabels(["¼", "½", "as by chance", "2 times", "4 times"])
    note = (
        f"Training posts with a photo. Rows: {title_of_rows}; columns: the commonest ImageNet classes that "
        "EfficientNet-Lite0 sees (animals by kind; below probability 0.2: nothing clear). Number: posts. "
        f"Colour: how many times more often than by chance; white where chance would give fewer than {FEW}."
    )
    return _figure(canvas, "Which classes meet which image content", note, wide=True)


def shared_heatmap(names: Sequence[str], shared: np.ndarray) -> Figure:
    """Texts that stand in two places, for every two splits of all datasets."""
    canvas = Canvas(figsize=(10.5, 4.6), layout="constrained")
    axis = canvas.subplots()
    off = np.where(np.eye(len(names), dtype=bool), np.nan, shared.astype(float))
    axis.imshow(np.log1p(off), cmap="viridis", aspect="auto")
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names)
    axis.spines[:].set_visible(False)
    top = np.nanmax(np.log1p(off)) if len(names) > 1 else 0
    for (row, column), count in np.ndenumerate(shared):
        dark = row == column or np.log1p(count) > top / 2
        axis.text(column, row, str(count), ha="center", va="center", color="#222" if dark else "white")
    note = (
        "Distinct texts that two splits share, equal but for case, links, @names and punctuation; on the "
        "diagonal the split's own. What a test split shares with a training split of another dataset must "
        "not be trained on when datasets are joined."
    )
    return _figure(canvas, "Texts shared between datasets", note, wide=True)


def class_cloud(name: str, words: Counter[str], colour: str) -> Figure | None:
    """A class's words, sized by how often they stand; None where there is none."""
    from wordcloud import WordCloud

    if not words:
        return None
    cloud = WordCloud(
        width=640,
        height=300,
        background_color="white",
        color_func=lambda *_, **__: colour,
        max_words=60,
        random_state=1337,
    ).generate_from_frequencies(words)
    stream = io.BytesIO()
    cloud.to_image().quantize(16).save(stream, format="PNG", optimize=True)
    common = ", ".join(f"{word} {count}" for word, count in words.most_common(8))
    return Figure(
        title=name, note=common, alt=f"Word cloud of {name}: {common}", uri=data_uri(stream.getvalue(), "png")
    )


def _grouped(
    splits: Mapping[str, SplitFacts],
    names: Sequence[str],
    counts: Mapping[str, Sequence[int]],
    title: str,
    note: str,
    *,
    log: bool = False,
    upright: bool = False,
    wide: bool = False,
) -> Figure:
    """A group of bars a name, one bar a split, in % of the split's total."""
    tall = not upright
    height = max(2.6, 0.7 + 0.3 * len(names)) if tall else 3.6 if wide else 2.8
    canvas, (axis,) = _panels(1, height, width=10.5 if wide else 7.2)
    thick = 0.8 / max(1, len(splits))
    for i, (split, numbers) in enumerate(counts.items()):
        shares = np.array(numbers) / max(1, sum(numbers)) * 100
        places = np.arange(len(names)) + (i - (len(splits) - 1) / 2) * thick
        draw = axis.barh if tall else axis.bar
        draw(places, shares, thick, color=SPLIT_COLOURS[split], label=split)
    (axis.set_yticks if tall else axis.set_xticks)(range(len(names)), names)
    (axis.set_xlabel if tall else axis.set_ylabel)("% of the split")
    if tall:
        axis.invert_yaxis()
    if log:
        (axis.set_xscale if tall else axis.set_yscale)("log")
        (axis.xaxis if tall else axis.yaxis).set_major_formatter("{x:g}")
    if wide:
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axis.legend(frameon=False)
    return _figure(canvas, title, note, wide=wide)


def _panels(number: int, height: float = 2.8, width: float = 7.2) -> tuple[Canvas, list[Axes]]:
    canvas = Canvas(figsize=(width, height), layout="constrained")
    with rc_context(STYLE):
        return canvas, list(canvas.subplots(1, number, squeeze=False)[0])


def _figure(canvas: Canvas, title: str, note: str, *, wide: bool = False) -> Figure:
    with rc_context(STYLE):
        uri = image_uri(canvas, "svg")
    return Figure(title=title, note=note, alt=f"{title}. {note}", uri=uri, wide=wide)
