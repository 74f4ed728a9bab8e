"""``python -m train analyse``: one self-contained page of figures about the data (report §4.1, §5.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from mmdemo.cells.zoo import SHIPPED, post_encoder
from mmdemo.models.config import DATASETS, SPLITS, ModelConfig
from mmdemo.types import InputError, Post
from train.analyse import figures
from train.analyse.copies import Copies, find_copies, shared_texts
from train.analyse.figures import Figure
from train.analyse.page import write_page
from train.analyse.photos import Facts, PhotoFacts, photo_facts
from train.analyse.texts import SplitFacts, split_facts, words_by_class
from train.data.source import DataSource

#: Colours with which the app marks types; relations share one.
COLOURS = {"PER": "#0072B2", "LOC": "#00795A", "ORG": "#B84A00", "OTHER": "#A2487A", "MISC": "#A2487A"}
RELATION_COLOUR = "#44546A"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One dataset on the page; ``problem`` is the sentence why it cannot be shown."""

    name: str
    title: str
    splits: Mapping[str, SplitFacts]
    figures: Sequence[Figure] = ()
    clouds: Sequence[Figure] = ()
    copies: Sequence[Copies] = ()
    photos: Mapping[str, tuple[int, int, int]]
    problem: str = ""


def analyse(
    source: DataSource, out: Path, *, cache: Path, limit: int | None = None, command: str = ""
) -> Path:
    """Write ``out/analysis.html`` and return it. What the photos show is kept in ``cache``.

    A dataset that is missing or damaged becomes a sentence on the page; the others are shown.

    Raises:
        InputError: no dataset can be read, or ``out`` cannot be written.
    """
    posts: dict[str, dict[str, list[Post]]] = {}
    problems: dict[str, str] = {}
    for dataset in DATASETS:
        try:
            posts[dataset] = {split: source.posts(dataset, split)[:limit] for split in SPLITS}
        except InputError as error:
            problems[dataset] = str(error)
    if not posts:
        raise InputError(f"no dataset in {source.folder} can be read: {'; '.join(problems.values())}")
    everything = {f"{d} {s}": rows for d, splits in posts.items() for s, rows in splits.items()}
    facts = photo_facts((post for rows in everything.values() for post in rows), cache)
    sections = [
        _section(dataset, posts[dataset], facts)
        if dataset in posts
        else Section(
            name=dataset, title=DATASETS[dataset].title, splits={}, photos={}, problem=problems[dataset]
        )
        for dataset in tqdm(DATASETS, "figures", disable=None)
    ]
    shared = figures.shared_heatmap(list(everything), shared_texts(everything))
    return write_page(
        out / "analysis.html",
        "analyse.html",
        sections=sections,
        shared=shared,
        source=source,
        limit=limit,
        command=command,
    )


def _section(dataset: str, posts: dict[str, list[Post]], facts: Facts) -> Section:
    config = ModelConfig(dataset=dataset)
    reader = post_encoder(config, SHIPPED).reader
    is_ner = config.task == "ner"
    splits = {split: split_facts(rows, reader) for split, rows in posts.items()}
    seen = {split: _seen(rows, facts) for split, rows in posts.items()}
    photos = {split: _coverage(rows, seen[split]) for split, rows in posts.items()}
    drawn: list[Figure | None] = [
        figures.lengths(splits, config.sizes.max_subtokens),
        figures.label_shares(splits, is_ner),
        *((figures.tag_shares(splits), figures.entities_per_post(splits)) if is_ner else ()),
        figures.coverage(photos),
        figures.photo_looks({split: list(found.values()) for split, found in seen.items()}),
        figures.content_heatmap(
            [(_classes(posts["train"][i]), fact.content) for i, fact in seen["train"].items()],
            "entity types (posts that have one)" if is_ner else "relations",
        ),
    ]
    return Section(
        name=dataset,
        title=DATASETS[dataset].title,
        splits=splits,
        figures=[figure for figure in drawn if figure],
        clouds=_clouds(posts["train"]),
        copies=[found for found in find_copies(posts, facts) if found.count],
        photos=photos,
    )


def _seen(posts: Sequence[Post], facts: Facts) -> dict[int, PhotoFacts]:
    """Index of a post -> its photo's facts, for posts with a readable photo."""
    found = {i: facts.get(Path(p.image)) for i, p in enumerate(posts) if isinstance(p.image, str | Path)}
    return {i: fact for i, fact in found.items() if fact is not None}


def _coverage(posts: Sequence[Post], seen: Mapping[int, PhotoFacts]) -> tuple[int, int, int]:
    without = sum(post.image is None for post in posts)
    return len(seen), len(posts) - without - len(seen), without


def _classes(post: Post) -> set[str]:
    if post.pair is not None:
        return {str(post.relation)}
    return {entity.label for entity in post.entities or ()} or {"no entity"}


def _clouds(posts: Sequence[Post]) -> list[Figure]:
    from wordcloud import STOPWORDS

    classes = words_by_class(posts, {str(word).lower() for word in STOPWORDS})
    ordered = sorted(classes, key=lambda name: -classes[name].total())
    clouds = (figures.class_cloud(n, classes[n], COLOURS.get(n, RELATION_COLOUR)) for n in ordered)
    return [cloud for cloud in clouds if cloud]
