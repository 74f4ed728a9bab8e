"""Out of the store into files, and corrections of those back: all that is written reads back."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from filecmp import cmp
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.formats.shared.reducing import reduced
from mmdemo.formats.shared.sameness import compare, unfit
from mmdemo.formats.table import find_format
from mmdemo.photo.names import file_name, is_link, without_suffix
from mmdemo.posts.gold import name_of
from mmdemo.review.deciders import with_decisions
from mmdemo.review.names import count_posts
from mmdemo.review.records import Answer, Changed, Review
from mmdemo.review.store.arriving.checking import stated_answer
from mmdemo.review.store.reviews import Store
from mmdemo.types import Ask, Entity, InputError, Post, Question, quoted

NAMED = 5  # posts in one message
LONGEST = 230  # bytes of a photo's name, which leaves room for more of it and the suffix


class Unfit(InputError):
    """The format cannot hold these posts; ``problems`` has the reason for each id. Nothing was written."""

    def __init__(self, name: str, problems: dict[str, str]) -> None:
        named = "; ".join(f"{quoted(ref)}: {why}" for ref, why in list(problems.items())[:NAMED])
        more = f" and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        super().__init__(f"the format {name} cannot hold {count_posts(len(problems))}: {named}{more}")
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote. ``left_out`` are posts that do not fit at all (where asked for) with the reason,
    ``reduced`` those that were written, with what of them was not; ``lacking`` says what written posts have
    and the format does not hold.
    """

    path: Path
    posts: int
    rejected: int
    left_out: dict[str, str]
    reduced: dict[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


def export(
    store: Store,
    queue: str,
    path: Path,
    name: str,
    *,
    photos: Path | None = None,
    skip: bool = False,
    portable: bool = False,
    decisions: bool = False,
) -> Exported:
    """Write the decided posts of a queue; rejected ones are left out, and so are scores: people decided.

    Args:
        photos: a folder to copy the photos to, as ``<photo id or id>.jpg``, from which training reads them.
            Where it lies beside the file, the file names them by their place there. No photo of another
            content is overwritten.
        skip: leave out what of posts the format cannot hold, and those whose photo cannot be a file of its
            name, instead of refusing them all.
        portable: name no photo by its place in this store: the file leaves the machine.
        decisions: also say who decided, when, on what a cell had proposed, and at which score.

    Raises:
        Unfit: the format cannot hold some posts (the error lists them).
        InputError: the file cannot be written, or does not read back as what was written.
    """
    found = find_format(name)
    decided = list(store.decided(queue))
    items = [as_question(review) for review in decided if review.status != "rejected"]
    if decisions:
        items = with_decisions(store, queue, decided, items)
    problems, less = unfit(items, found), dict[str, str]()
    if photos is not None:
        problems |= {item.post.id or "": why for item in items if (why := _unnamed(item))}
    if problems and not skip:
        raise Unfit(name, problems)
    if problems:
        items, problems, less = fitting(items, found, photos=photos is not None)
    if photos is not None:
        items = [_with_photo(item, Path(photos), Path(path).parent) for item in items]
    elif portable:
        items = [replace(item, post=replace(item.post, image=None)) for item in items]
    scheme = store.progress(queue).queue.scheme
    write_checked(Path(path), items, found, scheme)
    rejected = sum(review.status == "rejected" for review in decided)
    return Exported(
        path=Path(path),
        posts=len(items),
        rejected=rejected,
        left_out=problems,
        reduced=less,
        lacking=found.lacking(items),
    )


def fitting(
    items: Sequence[Question], found: Format, *, photos: bool
) -> tuple[list[Question], dict[str, str], dict[str, str]]:
    """What of the posts the format holds; which are left out and why; and what of others is not written."""
    kept, left_out, less = list[Question](), dict[str, str](), dict[str, str]()
    for item in items:
        ref, made = item.post.id or "", reduced(item, found)
        why = made.why or (_unnamed(item) if photos else None)
        if made.row is None or why:
            left_out[ref] = why or ""
            continue
        kept.append(made.row)
        if made.without:
            less[ref] = ", ".join(made.without)
    again = unfit(kept, found)  # two of one name
    return [item for item in kept if (item.post.id or "") not in again], left_out | again, less


def as_question(review: Review) -> Question:
    """A decided post for a file, with what was decided stated of it.

    That there are no entities, or no relations, is stated only where the reviewer was asked for them all: an
    answer about one pair says nothing of the others, nor does one about entities of borrowed relations.
    """
    answer = review.decision.answer if review.decision else Answer()
    entities = tuple(Entity(start=e.start, end=e.end, label=e.label, text=e.text) for e in answer.entities)
    links = tuple(replace(link, score=None) for link in answer.links)
    says_entities = bool(entities) or not review.asked
    says_relations = bool(links) or (review.scheme.has_relations and not review.asked)
    post = replace(
        review.post,
        entities=entities if says_entities else None,
        relations=links if says_relations else None,
    )
    return Question(post=post, ask=Ask(entities=says_entities, relations=review.asked))


def write_checked(path: Path, items: Sequence[Question], found: Format, scheme: Dataset) -> None:
    """Write beside ``path``, read that back, compare, and only then put it in its place."""
    if not path.absolute().parent.is_dir():
        raise InputError(f"the folder {path.absolute().parent} does not exist")
    if not found.suffix and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists; name a new or empty folder")
    with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".export-") as scratch:
        draft = Path(scratch) / (path.name or "export")
        found.write(draft, items, scheme)
        compare(items, found.read(draft, scheme), found)
        if not found.suffix and path.is_dir():
            path.rmdir()
        os.replace(draft, path)


def _stem(post: Post) -> str:
    """What the post's photo is called, without the suffix."""
    name = post.image_id or post.id or Path(str(post.image)).stem
    return without_suffix(file_name(name)) if is_link(name) else name


def _unnamed(item: Question) -> str | None:
    """Why the post's photo cannot be a file of its name, or None."""
    if item.post.image is None:
        return None
    stem = _stem(item.post)
    if Path(stem).name == stem and "\0" not in stem and len(stem.encode(errors="replace")) <= LONGEST:
        return None
    return f"its photo is called {quoted(stem)}, which cannot name a file"


def _with_photo(item: Question, folder: Path, beside: Path) -> Question:
    """Copy the photo to where training looks for it, and point the post there, from ``beside`` if inside.

    Where another photo has the name, this one is named by its content too; the post's photo id, by which some
    formats find it, follows.
    """
    if item.post.image is None:
        return item
    source, stem, image_id = Path(str(item.post.image)), _stem(item.post), item.post.image_id
    name = stem if Path(stem).suffix.lower() == source.suffix else stem + source.suffix
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / name).exists() and not cmp(source, folder / name, shallow=False):
            image_id = f"{name.removesuffix(source.suffix)}-{source.stem[:12]}"
            name = image_id + source.suffix
        shutil.copyfile(source, folder / name)
    except OSError as error:
        raise InputError(f"the photo {source.name} cannot be copied: {error.strerror or error}") from error
    image = folder / name
    image = image.relative_to(beside) if image.is_relative_to(beside) else image
    return replace(item, post=replace(item.post, image=image, image_id=image_id))


# ---------------------------------------------------------------- corrections


def apply_corrections(store: Store, queue: str, items: Iterable[Question], reviewer: str) -> Changed:
    """Take somebody's corrected export in: one decision by ``reviewer`` for each post it changes.

    Posts are found by id, or by their photo's where only one post has it (CoNLL). What is the same as the
    present decision stays. A post that is unknown, has other words or is being edited is kept, with the
    reason. One undo by ``reviewer`` takes all decisions back.

    The words of a photo that the file states stand in place of those that the post has; a file that states
    none, as of a format without them, leaves them alone. These changes are taken back post by post.
    """
    batch = uuid.uuid4().hex
    decisions = {review.key: review for review in _all(store, queue, reviewer)}
    by_id = {review.post.id: review for review in decisions.values()}
    by_photo: dict[str | None, list[Review]] = {}
    for review in decisions.values():
        by_photo.setdefault(review.post.image_id, []).append(review)
    changed, kept, unknown = [], dict[int, str](), 0
    for item in items:
        same_photo = by_photo.get(item.post.image_id or item.post.id, [])
        found = by_id.get(item.post.id) or (same_photo[0] if len(same_photo) == 1 else None)
        if found is None or found.post.tokens != item.post.tokens:  # several posts may have one photo
            same_words = [review for review in same_photo if review.post.tokens == item.post.tokens]
            found = same_words[0] if len(same_words) == 1 else found
        answer = stated_answer(item.post)
        if found is None or (answer is None and not item.post.photo_words):
            unknown += 1
            kept[-unknown] = f"{name_of(item.post)} is not in the queue, or has no answer"
            continue
        if found.post.tokens != item.post.tokens:
            kept[found.key] = f"{name_of(item.post)} has other words in the file"
            continue
        for correct in (_decide, _say):  # one may fail where the other does not
            try:
                if correct(store, queue, found, item.post, reviewer, batch):
                    changed.append(found.key)
            except InputError as error:
                kept[found.key] = f"{name_of(item.post)}: {error}"
    return Changed(keys=tuple(dict.fromkeys(changed)), kept=kept)


def _decide(store: Store, queue: str, found: Review, post: Post, reviewer: str, batch: str) -> bool:
    """Decide a post as a file states it; whether that is another answer than the present one."""
    answer = stated_answer(post)
    if answer is None or (found.decision is not None and found.decision.answer.same_as(answer)):
        return False
    store.decide(queue, found.key, reviewer, answer, version=found.version, batch=batch)
    return True


def _say(store: Store, queue: str, found: Review, post: Post, reviewer: str, batch: str) -> bool:
    """Take the words of a post's photo from a file; whether they are others than the present ones."""
    said = post.photo_words
    if not said or said == found.post.photo_words:
        return False
    store.change_photo_words(queue, found.key, reviewer, words_json(said), version=found.photo_version)
    return True


def _all(store: Store, queue: str, reviewer: str) -> Iterable[Review]:
    offset = 0
    while batch := store.page(queue, reviewer, offset=offset, limit=500).reviews:
        yield from batch
        offset += len(batch)
