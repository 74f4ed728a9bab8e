"""Many people at once: ``python -m tests.bench.load [--clients 64] [--seconds 120] [--url URL] [--json]``.

Starts ``app.py`` (or takes the one at ``--url``) and lets each client ask for one prediction after another
through the same HTTP endpoint as `gradio_client`: every fourth with one of eight photos, half of them
relations. Prints errors, latency, how evenly answers fell on clients, and the app's memory before and after.
Exits with 1 where an answer failed.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from mmdemo.datasets.discovery import default_for
from mmdemo.datasets.schema import TASKS
from mmdemo.models.encoders.table import DEFAULT_MODEL
from mmdemo.models.fusion.table import DEFAULT_FUSION
from tests.bench.predict import p, photos, text_for
from tests.browser.live import running_app

WARM_UP = 8  # questions before the clock starts: models are loaded, memory has settled
PATIENCE = httpx.Timeout(120)


@dataclass(kw_only=True)
class Client:
    """One person: seconds that each answer took, and what went wrong."""

    number: int
    taken: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


async def upload(http: httpx.AsyncClient, photo: Path) -> dict[str, Any]:
    """A photo on the server, as the endpoint wants it named."""
    reply = await http.post("/gradio_api/upload", files={"files": (photo.name, photo.read_bytes())})
    reply.raise_for_status()
    return {"path": reply.json()[0], "meta": {"_type": "gradio.FileData"}}


async def ask(
    http: httpx.AsyncClient, turn: int, photo: dict[str, Any] | None, session: str = "warm-up"
) -> str | None:
    """One prediction; None where it is an answer, else what came instead."""
    dataset = default_for(TASKS[turn % 2])
    data = [dataset.name, DEFAULT_MODEL, DEFAULT_FUSION, f"{text_for(dataset)} {turn}", photo, "lite"]
    sent = await http.post("/gradio_api/call/predict", json={"data": data, "session_hash": session})
    if sent.status_code != 200:
        return f"HTTP {sent.status_code}"
    reply = await http.get(f"/gradio_api/call/predict/{sent.json()['event_id']}")
    return None if "event: complete" in reply.text else reply.text.strip()[:80]


async def work(client: Client, http: httpx.AsyncClient, photo: dict[str, Any], until: float) -> None:
    for turn in itertools.count(client.number):
        started = time.perf_counter()
        if started >= until:
            return
        try:
            wrong = await ask(http, turn, photo if turn % 4 == 0 else None, f"client-{client.number}")
        except httpx.HTTPError as error:
            wrong = type(error).__name__
        if wrong:
            client.errors[wrong] += 1
        else:
            client.taken.append(time.perf_counter() - started)


async def press(url: str, count: int, seconds: float, files: list[Path]) -> tuple[list[Client], float]:
    """Let the clients ask for some seconds; their records, and how long the last answer took to come."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=count)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits) as http:
        uploaded = [await upload(http, file) for file in files]
        started = time.perf_counter()
        clients = [Client(number=number) for number in range(count)]
        jobs = (work(c, http, uploaded[c.number % len(uploaded)], started + seconds) for c in clients)
        await asyncio.gather(*jobs)
        return clients, time.perf_counter() - started


async def warm_up(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
        for turn in range(WARM_UP):
            await ask(http, turn, None)


def app_process() -> psutil.Process | None:
    """The app that this process has started."""
    return next((c for c in psutil.Process().children() if "app.py" in c.cmdline()), None)


def memory(app: psutil.Process | None) -> int | None:
    """Resident megabytes."""
    return round(app.memory_info().rss / 1e6) if app else None


def summary(clients: list[Client], seconds: float) -> dict[str, Any]:
    taken = [value for client in clients for value in client.taken]
    answers = [len(client.taken) for client in clients]
    return {
        "clients": len(clients),
        "seconds": round(seconds, 1),
        "answers": len(taken),
        "per_second": round(len(taken) / seconds, 1),
        "errors": dict(sum((client.errors for client in clients), Counter())),
        "latency_s": {
            "p50": round(statistics.median(taken), 2) if taken else None,
            "p95": p(taken, 0.95) if taken else None,
            "max": round(max(taken), 2) if taken else None,
        },
        "answers_a_client": {"min": min(answers), "max": max(answers)},
    }


def measure(url: str, count: int, seconds: float) -> dict[str, Any]:
    """Warm the app up, then press it; everything that `main` prints."""
    with tempfile.TemporaryDirectory() as folder:
        files = photos(Path(folder))[:8]
        asyncio.run(warm_up(url))
        before = memory(app_process())
        clients, took = asyncio.run(press(url, count, seconds, files))
        after = memory(app_process())
    load = round(os.getloadavg()[0], 1)
    return {**summary(clients, took), "memory_mb": {"before": before, "after": after}, "load_average": load}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--url", help="an app that runs already; its memory is not measured")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.url:
        found = measure(options.url.rstrip("/"), options.clients, options.seconds)
    else:
        with running_app() as url:
            found = measure(url, options.clients, options.seconds)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):18}{value}")
    return 1 if found["errors"] or not found["answers"] else 0


if __name__ == "__main__":
    sys.exit(main())
