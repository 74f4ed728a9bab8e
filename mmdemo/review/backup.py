"""Reviews kept in a private dataset repository, for a Space whose disk is lost with each restart.

    backup = backup_from_environment(store)     # None where MMDEMO_REVIEWS_REPO is not set

Each run appends to a JSONL file of its own, which has a number (`mmdemo.review.backup_runs`): a line is one
post with the history of its decisions in that run, written again when that grows, so that of a post's lines
the last one of the latest run holds. Photos lie beside it by their hash. `CommitScheduler` pushes the folder;
at a start what holds is replayed into an empty store.
"""

import json
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from huggingface_hub import CommitScheduler, HfApi, constants, snapshot_download

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.datasets.records import read_record, record_of
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.photo_words import read_words, refuse, words_json
from mmdemo.formats.text.lines import check_words
from mmdemo.photo.lookup import is_file
from mmdemo.review.answers import answer_row, stored_answer
from mmdemo.review.backup_events import event_row, standing
from mmdemo.review.backup_runs import Run, latest_lines, next_run, runs_of
from mmdemo.review.records import Event, Review
from mmdemo.review.store.reviews import Store
from mmdemo.types import Ask, InputError, Pair, Post, Question, quoted

log = logging.getLogger(__name__)

PAGE = 100
MINUTES = 5.0  # between two pushes; what a crash of the whole machine may lose


class Backup:
    """Appends what has changed in a store, and pushes it now and then."""

    def __init__(
        self, store: Store, repo: str, folder: Path, minutes: float = MINUTES, earlier: Sequence[Run] = ()
    ) -> None:
        """``earlier`` are the runs that the repository has, whose posts ``store`` holds."""
        self._store = store
        self._folder = folder
        self._seen: dict[int, int] = {}  # post's key -> events and changes of its photo's words written
        self._turn = threading.Lock()
        self._stopped = threading.Event()
        self.scheduler = CommitScheduler(
            repo_id=repo,
            repo_type="dataset",
            folder_path=folder,
            every=minutes,
            private=True,
            hf_api=HfApi(endpoint=constants.ENDPOINT),
        )
        folder.mkdir(parents=True, exist_ok=True)
        self._file = next_run(list(earlier), folder)
        self._thread = threading.Thread(target=self._watch, args=(minutes * 60,), daemon=True)
        self._thread.start()

    def _watch(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            try:
                self.write()
            except Exception:  # the next turn tries again; the store itself has every decision
                log.exception("the reviews could not be written for their backup")

    def write(self) -> int:
        """Append a line for each post whose history has grown since; how many."""
        with self._turn:
            lines = []
            for review, double in _all_reviews(self._store):
                events = self._store.history(review.key)
                count = len(events) + review.photo_version
                if review.key not in self._seen or count > self._seen[review.key]:
                    lines.append((review.key, count, self._line(review, double, events)))
            if lines:
                with self.scheduler.lock:  # a push must not take half of this
                    with self._file.open("a", encoding="utf-8") as stream:
                        stream.writelines(line + "\n" for _, _, line in lines)
                        stream.flush()
                        os.fsync(stream.fileno())
            self._seen |= {key: count for key, count, _ in lines}
            return len(lines)

    def _line(self, review: Review, double: bool, events: tuple[Event, ...]) -> str:
        post = review.post
        photo = Path(post.image).name if isinstance(post.image, str | Path) else None
        if photo and not (self._folder / "photos" / photo).exists():
            (self._folder / "photos").mkdir(exist_ok=True)
            shutil.copyfile(Path(str(post.image)), self._folder / "photos" / photo)
        row = {
            "queue": {
                "name": review.queue,
                "dataset": review.dataset,
                "record": record_of(review.scheme),
                "double": double,
            },
            "post": {
                "id": post.id,
                "text": post.text,
                "tokens": post.tokens,
                "pair": vars(review.asked[0]) if len(review.asked) == 1 else None,
                "asked": [vars(pair) for pair in review.asked],
                "offsets": post.offsets,
                "image_id": post.image_id,
                "photo": photo,
                "photo_words": words_json(post.photo_words),
            },
            "suggestion": answer_row(review.suggestion.answer) if review.suggestion else None,
            "events": [event_row(event) for event in events],
        }
        return json.dumps(row, ensure_ascii=True)

    def close(self) -> None:
        """Write and push what is left, then stop."""
        self._stopped.set()
        self._thread.join()
        self.write()
        self.scheduler.trigger().result()
        self.scheduler.stop()


def backup_from_environment(store: Store) -> Backup | None:
    """Restore an empty store from $MMDEMO_REVIEWS_REPO and keep it backed up there; None where it is not set.

    Raises:
        InputError: the repository cannot be read or made, or everybody could read it.
    """
    repo = os.environ.get("MMDEMO_REVIEWS_REPO", "").strip()
    if not repo:
        return None
    api = HfApi(endpoint=constants.ENDPOINT)
    try:
        api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
        private = api.repo_info(repo, repo_type="dataset").private
    except Exception as error:  # the Hub's client raises httpx's, its own, ValueError for a bad name
        raise InputError(f"the reviews' repository {repo} cannot be used ({type(error).__name__})") from error
    if not private:  # tweets, photos and reviewers' names are in it
        raise InputError(f"the reviews' repository {repo} is public; make it private, then start again")
    fresh = not store.queues()
    runs = _fetch(repo, photos=fresh)
    if fresh:
        _replay(store, runs, repo)
    return Backup(store, repo, Path(tempfile.mkdtemp(prefix="mmdemo-reviews-")), earlier=runs)


def restore(store: Store, repo: str) -> int:
    """Bring posts and decisions back from the repository; how many posts. No repository: none.

    A line that is not what `Backup` writes is logged and passed over: the others still count.

    Raises:
        InputError: the Hub does not answer.
    """
    return _replay(store, _fetch(repo), repo)


def _fetch(repo: str, photos: bool = True) -> list[Run]:
    """The runs that the repository has, downloaded with or without their photos."""
    api, wanted = HfApi(endpoint=constants.ENDPOINT), None if photos else ["reviews-*"]
    try:
        if not api.repo_exists(repo, repo_type="dataset"):
            return []
        if api.repo_info(repo, repo_type="dataset").sha is None:  # nothing has been pushed to it
            return []
        folder = snapshot_download(
            repo, repo_type="dataset", endpoint=constants.ENDPOINT, allow_patterns=wanted
        )
    except Exception as error:  # as above
        raise InputError(f"the reviews' repository {repo} cannot be read ({type(error).__name__})") from error
    return runs_of(Path(folder))


def _replay(store: Store, runs: list[Run], repo: str) -> int:
    """Bring what holds of these runs into the store; how many posts."""
    restored = 0
    for line in latest_lines(runs):
        try:
            _restore_post(store, line.row, runs[0].file.parent / "photos")
            restored += 1
        except (InputError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            kind = type(error).__name__
            log.warning("post %r of %r is not restored: %s: %.200s", line.post, line.queue, kind, error)
    log.warning("restored %d posts from %s", restored, repo)
    return restored


def _all_reviews(store: Store) -> Iterator[tuple[Review, bool]]:
    for queue in store.queues():
        offset = 0
        while batch := store.page(queue.name, "backup", offset=offset, limit=PAGE).reviews:
            yield from ((review, queue.double) for review in batch)
            offset += len(batch)


def _restore_post(store: Store, row: dict[str, Any], photos: Path) -> None:
    queue, held = row["queue"], row["post"]
    photo, where = held["photo"], f"the backup of post {quoted(held['id'])}"
    stated = held.get("asked") or ([held["pair"]] if held["pair"] else [])
    asked = tuple(Pair(head=tuple(pair["head"]), tail=tuple(pair["tail"])) for pair in stated)
    image = photos / Path(photo).name if photo else None
    post = Post(
        text=held["text"],
        tokens=check_words(held["tokens"], where),
        image=image if image and is_file(image) else None,
        offsets=tuple(tuple(place) if place else None for place in held.get("offsets", ())),
        id=held["id"],
        image_id=held["image_id"],
        photo_words=read_words(held.get("photo_words"), where, refuse),
    )
    store.make_queue(queue["name"], _scheme(queue), double=queue["double"])
    if row["suggestion"]:
        suggested = stored_answer(row["suggestion"], post.tokens)
        post = replace(post, entities=suggested.entities, relations=suggested.links)
    store.add(queue["name"], [Question(post=post, ask=Ask(entities=not asked, relations=asked))])
    store.restore(queue["name"], held["id"], standing(row["events"], post.tokens, queue["double"]))


def _scheme(queue: dict[str, Any]) -> Dataset:
    """A queue's labels; lines of before name a dataset that comes with the program."""
    if "record" in queue:
        return read_record(queue["record"], f"the backup of the queue {queue['name']!r}")
    return reviewed_as(find_dataset(queue["dataset"]))
