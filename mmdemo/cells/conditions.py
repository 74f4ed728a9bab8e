"""Under which conditions a cell's figures were measured, and the marks of those that are not like the others.

They stand in a cell's config.json (``training``) and metrics.json (``conditions``) and travel with the
figures. Files are a stranger's, and older ones say less: what is missing, or of another type, is not stated.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: What an older card calls a commit that it does not know.
NO_COMMITS = ("", "none", "unknown")
NOT_STATED = "not stated"
LONGEST = 200  # characters of a text that a file states
MOST = 99  # texts of a list that a file states
LARGEST = 2**53  # a count beyond it is no count


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a figure depends on beside its cell; None: not stated.

    ``limit``: only the first so many posts of each split were read, 0 for all. ``splits``: "official", or the
    report's. ``cleaning``: whether texts were cleaned. ``tree``: "clean", or "dirty" where the code had
    changes that are in no commit. ``commit_exists``: whether the repository of this code has the commit.
    ``trained_with``: the fusions that trained at once on the cell's trunk, its own among them; none where it
    trained by itself; ``datasets``: those that trained the trunk at once, its own among them.
    ``photo_sources``: where the photos' words were from, of a cell that reads some.
    ``posts``: how many were scored, by split.
    """

    limit: int | None = None
    splits: str | None = None
    cleaning: bool | None = None
    seed: int | None = None
    recipe: str | None = None
    commit: str | None = None
    tree: str | None = None
    commit_exists: bool | None = None
    torch: str | None = None
    hardware: str | None = None
    precision: str | None = None
    training_posts: int | None = None
    trained_with: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    photo_sources: str | None = None
    posts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        metrics: Mapping[str, Any] | None,
        training: Mapping[str, Any] | None = None,
        cleaning: bool | None = None,
    ) -> "Conditions":
        """Those that metrics.json states, completed by what config.json says of the training."""
        metrics = metrics if isinstance(metrics, Mapping) else {}
        training = training if isinstance(training, Mapping) else {}
        stated: dict[str, Any] = {"cleaning": cleaning}
        for source in (training, metrics):
            own = {key: value for key, value in source.items() if key != "splits"}  # which are the figures
            if "split_scheme" in source:
                own["splits"] = source["split_scheme"]
            own |= _table(source, "conditions")
            stated |= {key: own[key] for key in cls.__dataclass_fields__ if key in own}
        limited = "limit" in stated
        return cls(
            limit=_count(stated["limit"] or 0) if limited else None,
            splits=_text(stated.get("splits")),
            cleaning=_flag(stated.get("cleaning")),
            seed=_count(stated.get("seed")),
            recipe=_text(stated.get("recipe")),
            commit=_commit(stated.get("commit")),
            tree=tree if (tree := stated.get("tree")) in ("clean", "dirty") else None,
            commit_exists=_flag(stated.get("commit_exists")),
            torch=_text(stated.get("torch")),
            hardware=_text(stated.get("hardware")),
            precision=_text(stated.get("precision")),
            training_posts=_count(stated.get("training_posts")),
            trained_with=_texts(stated.get("trained_with")),
            datasets=_texts(stated.get("datasets")),
            photo_sources=_text(stated.get("photo_sources")),
            posts=_posts(stated.get("posts")) | _posts_scored(metrics),
        )

    def json(self) -> dict[str, Any]:
        """What is stated, as JSON values that `of` reads back; a limit of null is none."""
        stated = {
            key: value for key, value in asdict(self).items() if value is not None and value not in ({}, ())
        }
        return stated | ({"limit": self.limit or None} if self.limit is not None else {})

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand beside each of the figures; empty where they are like any other full figure."""
        commit = {None: "commit not checked", False: "commit unknown here", True: ""}[self.commit_exists]
        found = (
            f"limited: {self.limit:,} posts" if self.limit else "",
            "report's splits" if self.splits == "report" else "",
            "uncommitted tree" if self.tree == "dirty" else "",
            commit if self.commit else "commit not stated",
        )
        return tuple(mark for mark in found if mark)

    @property
    def facts(self) -> dict[str, str]:
        """Every condition by its name for people."""
        limit = f"the first {self.limit:,} of each split" if self.limit else "all"
        scored = ", ".join(f"{split} {count:,}" for split, count in self.posts.items())
        code = f"commit {self.commit[:10]}, tree {self.tree or NOT_STATED}" if self.commit else NOT_STATED
        in_here = {None: "", True: "", False: "; no such commit in this repository"}[self.commit_exists]
        return {
            "Posts": NOT_STATED if self.limit is None else limit,
            "Posts scored": scored or NOT_STATED,
            **({"Trained together": ", ".join(self.trained_with)} if self.trained_with else {}),
            **({"Trunk trained on": ", ".join(self.datasets)} if self.datasets else {}),
            "Training posts": NOT_STATED if self.training_posts is None else f"{self.training_posts:,}",
            "Splits": self.splits or NOT_STATED,
            "Text cleaning": {None: NOT_STATED, True: "yes", False: "no"}[self.cleaning],
            "Seed": NOT_STATED if self.seed is None else str(self.seed),
            "Recipe": self.recipe or NOT_STATED,
            "Code": code + in_here,
            "torch": self.torch or NOT_STATED,
            "Hardware": self.hardware or NOT_STATED,
            "Precision": self.precision or NOT_STATED,
            **({"Words of photos": self.photo_sources} if self.photo_sources else {}),
        }


def with_conditions(
    metrics: Mapping[str, Any], training: Mapping[str, Any] | None, cleaning: bool | None
) -> dict[str, Any]:
    """The metrics with all their conditions among them, so that they travel with the figures."""
    return {**metrics, "conditions": Conditions.of(metrics, training, cleaning).json()}


def marks_text(metrics: Mapping[str, Any] | None) -> str:
    """The marks of a cell's figures in one line: "limited: 300 posts; uncommitted tree"; else nothing."""
    return "; ".join(Conditions.of(metrics).marks)


def _table(held: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = held.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value[:LONGEST] if isinstance(value, str) and value else None


def _texts(value: object) -> tuple[str, ...]:
    held = value[:MOST] if isinstance(value, list | tuple) else ()
    return tuple(text for text in map(_text, held) if text)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and 0 <= value < LARGEST else None


def _commit(value: object) -> str | None:
    commit = _text(value)
    return None if commit is None or commit in NO_COMMITS else commit


def _posts(value: object) -> dict[str, int]:
    held = value if isinstance(value, Mapping) else {}
    counts = {str(split): _count(count) for split, count in held.items()}
    return {split: count for split, count in counts.items() if count is not None}


def _posts_scored(metrics: Mapping[str, Any]) -> dict[str, int]:
    splits = _table(metrics, "splits")
    return _posts({split: _table(splits, split).get("posts") for split in splits})
