"""The same job on a local Ray cluster of two workers: the same bytes, also when a worker is killed."""

import json
import os
import signal
import threading

import psutil
import pytest
import ray

from mmdemo.batch import ray_engine as ray_module
from mmdemo.batch.job import Job, one_process, run
from mmdemo.batch.ray_engine import ray_engine
from mmdemo.batch.rows import Chunk
from mmdemo.cells import catalogue
from mmdemo.types import InputError


@pytest.fixture
def cluster():
    others = set(psutil.Process().children(recursive=True))  # a browser's, where this process ran its tests
    yield
    processes = set(psutil.Process().children(recursive=True)) - others
    ray.shutdown()
    _, alive = psutil.wait_procs(list(processes), timeout=5)
    for process in alive:  # a busy machine's workers outlive their cluster
        process.kill()


class Failing:
    """A dataset whose workers die after one chunk."""

    def map(self, *_, **__):
        return self

    def iter_rows(self):
        yield {"lines": ["{}"], "failed": ""}
        raise ray.exceptions.ActorDiedError()


@pytest.mark.filterwarnings("ignore")  # as below
def test_workers_that_keep_dying_are_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray.data, "from_items", lambda *_, **__: Failing())
    job = Job(cell=None, posts=tmp_path, images=tmp_path, output=tmp_path)
    found = ray_engine(2)(job, [Chunk(place=0, first=1, count=1)])
    assert next(found) == ["{}"]
    with pytest.raises(InputError, match=r"workers failed \(ActorDiedError\); what they answered is kept"):
        next(found)


def test_half_a_character_does_not_stop_a_worker(monkeypatch):
    monkeypatch.setattr(ray_module, "answer_chunk", lambda *_: ["a\ud800", "b"])
    assert ray_module.Answerer(None)({"place": 0, "first": 1, "count": 2}) == {
        "lines": ["a?", "b"],
        "failed": "",
    }


def kill_one_worker(stop: threading.Event) -> None:
    """SIGKILL to the first of our own worker processes that has an actor of the job."""
    while not stop.wait(0.05):
        for process in psutil.Process().children(recursive=True):
            try:
                if "MapWorker" in " ".join(process.cmdline()):
                    os.kill(process.pid, signal.SIGKILL)
                    stop.killed = process.pid
                    return
            except (psutil.Error, OSError):
                continue


@pytest.mark.filterwarnings("ignore")  # Ray's own: unclosed sockets, deprecations
def test_two_workers_give_the_same_bytes_though_one_is_killed(tiny_zoo, tmp_path, monkeypatch, cluster):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    monkeypatch.setenv("RAY_worker_niceness", "0")  # as nice as Ray's are, they wait for all others
    words = "Kevin Durant enters Oracle Arena in Oakland tonight".split()
    posts = tmp_path / "posts.jsonl"
    texts = [" ".join(words[: i % 9]) for i in range(120)]  # every ninth is empty: an error
    posts.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(texts)))
    cell = catalogue.find_cell("twitter2017", "roberta-resnet50", "film", "tiny")
    jobs = [
        Job(cell=cell, posts=posts, images=tmp_path, output=tmp_path / f"{name}.jsonl")
        for name in ("one", "two")
    ]
    run(jobs[0], one_process, chunk=10)
    stop = threading.Event()
    killer = threading.Thread(target=kill_one_worker, args=(stop,))
    killer.start()
    try:
        report = run(jobs[1], ray_engine(workers=2), chunk=10)
    finally:
        stop.set()
        killer.join()
    assert getattr(stop, "killed", None), "no worker was there to kill"
    assert report.answered == 120
    assert jobs[1].output.read_bytes() == jobs[0].output.read_bytes()
