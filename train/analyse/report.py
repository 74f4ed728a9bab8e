"""``python -m train analyse``: one self-contained page of figures about the data (report §4.1, §5.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from mmdemo.cells.locate import SHIPPED
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.looks import looks_of
from mmdemo.datasets.schema import SPLITS, Dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError, Post
from train.analyse import figures
from train.analyse.copies import Copies, find_copies, shared_texts
from train.analyse.figures import Figure
from train.analyse.page import write_page
from train.analyse.photos import Facts, PhotoFacts, photo_facts
from train.analyse.texts import SplitFacts, split_facts, words_by_class
from train.data.source import DataSource, datasets_in

#: Of all relations; entity types have the colours with which the app marks them.
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
    datasets = datasets_in(source.folder)
    for dataset in datasets:
        try:
            posts[dataset.name] = {split: source.posts(dataset, split)[:limit] for split in SPLITS}
        except InputError as error:
            problems[dataset.name] = str(error)
    if not posts:
        raise InputError(f"no dataset in {source.folder} can be read: {'; '.join(problems.values())}")
    everything = {f"{d} {s}": rows for d, splits in posts.items() for s, rows in splits.items()}
    facts = photo_facts((post for rows in everything.values() for post in rows), cache)
    sections = [
        _section(dataset, posts[dataset.name], facts)
        if dataset.name in posts
        else Section(
            name=dataset.name, title=dataset.title, splits={}, photos={}, problem=problems[dataset.name]
        )
        for dataset in tqdm(datasets, "figures", disable=None)
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


def _section(dataset: Dataset, posts: dict[str, list[Post]], facts: Facts) -> Section:
    config = ModelConfig(dataset=dataset)
    reader = post_encoder(config, SHIPPED).reader
    has_entities = dataset.has_entities
    splits = {split: split_facts(rows, reader) for split, rows in posts.items()}
    seen = {split: _seen(rows, facts) for split, rows in posts.items()}
    photos = {split: _coverage(rows, seen[split]) for split, rows in posts.items()}
    drawn: list[Figure | None] = [
        figures.lengths(splits, config.sizes.max_subtokens),
        figures.label_shares(splits, has_entities),
        *((figures.tag_shares(splits), figures.entities_per_post(splits)) if has_entities else ()),
        figures.coverage(photos),
        figures.photo_looks({split: list(found.values()) for split, found in seen.items()}),
        figures.content_heatmap(
            [(_classes(posts["train"][i]), fact.content) for i, fact in seen["train"].items()],
            "entity types (posts that have one)" if has_entities else "relations",
        ),
    ]
    return Section(
        name=dataset.name,
        title=dataset.title,
        splits=splits,
        figures=[figure for figure in drawn if figure],
        clouds=_clouds(dataset, posts["train"]),
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
    if post.entities is None:
        return {relation.label for relation in post.relations or ()}
    return {entity.label for entity in post.entities} or {"no entity"}


def _clouds(dataset: Dataset, posts: Sequence[Post]) -> list[Figure]:
    from wordcloud import STOPWORDS

    looks = looks_of(dataset)
    classes = words_by_class(posts, {str(word).lower() for word in STOPWORDS})
    ordered = sorted(classes, key=lambda name: -classes[name].total())
    clouds = (
        figures.class_cloud(n, classes[n], looks[n].colour if n in looks else RELATION_COLOUR)
        for n in ordered
    )
    return [cloud for cloud in clouds if cloud]
