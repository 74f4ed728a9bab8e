"""An app of one's own to attack: a queue of undecided posts, and a folder of uploads to look into."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdemo.datasets.discovery import find_dataset
from mmdemo.review.store.reviews import open_store
from mmdemo.types import Ask, Post, Question
from tests.browser import live
from tests.browser.sites import Reply, ask, component

JSON = {"Content_Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """An app with a queue "may" of undecided posts, and where its files lie."""

    url: str
    reviews: Path
    uploads: Path
    keys: tuple[int, ...]

    def decided(self) -> int:
        store = open_store(self.reviews)
        try:
            return store.progress("may").decided
        finally:
            store.close()

    def rejection(self, key: int) -> dict[str, Any]:
        """What the desk's script would send to reject a post in Ann's name."""
        sent: dict[str, Any] = {"name": "Ann", "queue": "may", "id": key, "version": 0, "verdict": "reject"}
        sent["answer"] = {"entities": []}
        part = component(self.url, "review-editor")
        return {"component_id": part, "session_hash": "s", "fn_name": "review_save", "data": sent}

    def uploaded(self) -> list[str]:
        return sorted(path.name for path in self.uploads.rglob("evil*"))

    def endpoint_says(self, name: str, values: list[Any], **headers: str) -> str:
        """All that a named endpoint answers."""
        url = f"{self.url}/gradio_api/call/{name}"
        event = json.loads(ask(url, json.dumps({"data": values}).encode(), **JSON, **headers).text)
        return ask(f"{url}/{event['event_id']}", **headers).text

    def press(self, button: str, changes: dict[str, Any], session: str, **headers: str) -> Reply:
        """Press a button of the page, its inputs as they stand but for ``changes`` by elem_id or place."""
        config = json.loads(ask(f"{self.url}/config", **headers).text)
        parts = {part["id"]: part["props"] for part in config["components"]}
        pressed = component(self.url, button, **headers)
        event = next(
            found
            for found in config["dependencies"]
            if [pressed, "click"] in found["targets"] and found["backend_fn"] and len(found["inputs"]) > 1
        )
        inputs = [parts[part] for part in event["inputs"]]
        values = [changes.get(part.get("elem_id"), part.get("value")) for part in inputs]
        for place in (key for key in changes if isinstance(key, int)):
            values[place] = changes[place]
        sent = {"data": values, "fn_index": event["id"], "session_hash": session}
        joined = ask(f"{self.url}/gradio_api/queue/join", json.dumps(sent).encode(), **JSON, **headers)
        assert joined.status == 200, joined.text
        return ask(f"{self.url}/gradio_api/queue/data?session_hash={session}", **headers)


@contextmanager
def running_target(folder: Path, **environment: str) -> Iterator[Target]:
    """A target that keeps its files in ``folder``."""
    reviews, uploads = folder / "reviews.sqlite3", folder / "uploads"
    store = open_store(reviews)
    store.make_queue("may", find_dataset("twitter2017"))
    texts = [f"Ann sings {number}" for number in range(3)]
    posts = [Post(text=text, tokens=tuple(text.split()), id=text[-1]) for text in texts]
    store.add("may", [Question(post=post, ask=Ask()) for post in posts])
    keys = tuple(review.key for review in store.page("may", "Ann").reviews)
    store.close()
    settings = {"GRADIO_TEMP_DIR": str(uploads), **environment}
    with live.running_app(reviews, **settings) as url:
        yield Target(url=url, reviews=reviews, uploads=uploads, keys=keys)
