"""Cells from the Hub: only where configured, only what a pinned commit holds, and offline after."""

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import constants

from mmdemo.answer import predict as answering
from mmdemo.cells import catalogue, hub
from mmdemo.cells.locate import list_cells
from mmdemo.cells.zoo import Zoo
from mmdemo.datasets.discovery import find_dataset
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests.hub_standin import Hub, running_hub, use

NAME = "models/someone/cells"
CELL = "tiny/twitter2017/roberta-resnet50/film"


@pytest.fixture
def standin(monkeypatch, tmp_path):
    hub.forget()
    with running_hub() as running:
        use(running, tmp_path / "cache", monkeypatch)
        yield running
    hub.forget()


@pytest.fixture
def files(tiny_zoo) -> dict[str, bytes]:
    return {f.relative_to(tiny_zoo).as_posix(): f.read_bytes() for f in tiny_zoo.rglob("*") if f.is_file()}


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A checkpoints root with nothing in it."""
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "root"))
    return tmp_path / "root"


def configure(monkeypatch, revision: str, name: str = "someone/cells") -> None:
    monkeypatch.setenv("MMDEMO_HUB_REPO", name)
    monkeypatch.setenv("MMDEMO_HUB_REVISION", revision)


def cell(root: Path, name: str = CELL):
    return next(c for c in list_cells(root, "tiny") if c.name == name)


def test_nothing_is_asked_where_nothing_is_configured(standin, empty, monkeypatch):
    monkeypatch.delenv("MMDEMO_HUB_REPO", raising=False)
    assert "is not among the checkpoints here" in cell(empty).problem
    assert standin.requests == []


def test_a_missing_cell_is_found_fetched_and_then_offline(standin: Hub, files, empty, monkeypatch, caplog):
    configure(monkeypatch, standin.add(NAME, files))
    caplog.set_level(logging.WARNING)
    found = cell(empty)
    assert found.problem is None and not found.folder.exists()
    assert [r for r in standin.requests if "resolve" in r] == [], "listing fetches no file"
    post = read_post("Kevin Durant enters Oracle Arena", find_dataset("twitter2017"))
    answer = answering.predict(post, found)
    assert answer.checkpoint == CELL and answer.entities
    assert "from the Hub repository someone/cells at" in caplog.text, "never silently"
    fetched = {r.split("/", 6)[-1] for r in standin.requests if r.startswith("GET") and "resolve" in r}
    assert len(fetched) == 5 and not any("mnre" in name or "concat" in name for name in fetched)

    standin.requests.clear()
    standin.down = True
    hub.forget()
    catalogue._zoo_in.cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = cell(empty)
    assert again.problem is None
    assert answering.predict(post, again).entities == answer.entities
    assert catalogue.describe(again)["metrics"]["seed"] == 7
    assert standin.requests == []


def test_a_cell_at_hand_is_never_fetched(standin, files, tiny_zoo, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    found = cell(tiny_zoo)
    assert found.folder == tiny_zoo / CELL
    Zoo(tiny_zoo).load(found)
    assert standin.requests == []


def test_the_card_needs_the_small_files_alone(standin, files, empty, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    described = catalogue.describe(cell(empty))
    assert described["metrics"]["seed"] == 7 and described["source"].startswith("someone/cells at ")
    assert {r.rsplit("/", 1)[-1] for r in standin.requests if "resolve" in r} == {
        "config.json",
        "metrics.json",
    }


def test_a_later_commit_changes_nothing(standin, files, empty, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    standin.add(NAME, {path: b"{}" for path in files})
    assert Zoo(empty).load(cell(empty)).card.metrics["seed"] == 7


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "../trunk.safetensors"])
def test_other_bytes_than_the_commits_are_thrown_away(standin, files, empty, monkeypatch, name):
    configure(monkeypatch, standin.add(NAME, files))
    path = {"../trunk.safetensors": "tiny/twitter2017/roberta-resnet50/trunk.safetensors"}.get(
        name, f"{CELL}/{name}"
    )
    standin.broken.add(path)
    with pytest.raises(InputError, match="from the Hub is not what someone/cells at"):
        Zoo(empty).load(cell(empty))
    assert not (hub.configured().root / path).exists()
    standin.broken.clear()
    assert Zoo(empty).load(cell(empty)).card.config.fusion == "film"


def test_a_cached_file_that_rots_is_fetched_again(standin, files, empty, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    Zoo(empty).load(cell(empty))
    (hub.configured().root / CELL / "model.safetensors").write_bytes(b"rotten")
    assert Zoo(empty).load(cell(empty)).card.config.fusion == "film"


def test_a_hub_that_lacks_the_cell_says_so(standin, files, empty, monkeypatch):
    del files[f"{CELL}/model.safetensors"]
    configure(monkeypatch, standin.add(NAME, files))
    assert "nor in the Hub repository someone/cells" in cell(empty).problem


@pytest.mark.parametrize("fault", ["down", "gone", "revision"])
def test_a_hub_that_does_not_answer_is_a_problem_in_words(standin, files, empty, monkeypatch, fault):
    commit = standin.add(NAME, files)
    configure(monkeypatch, "0" * 40 if fault == "revision" else commit)
    if fault == "gone":
        standin.repos.clear()
    if fault == "down":
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # discard: nobody listens
    problem = cell(empty).problem
    assert "did not say what someone/cells" in problem and "\n" not in problem
    before = len(standin.requests)
    cell(empty)
    assert len(standin.requests) == before, "not asked again at each click"
    with pytest.raises(InputError, match="there is no checkpoint"):
        Zoo(empty).load(cell(empty))


@pytest.mark.parametrize(
    ("name", "revision", "sentence"),
    [
        ("cells", "a" * 40, "must be owner/name"),
        ("../x", "a" * 40, "must be owner/name"),
        ("a/b/c", "a" * 40, "must be owner/name"),
        ("someone/cells", "main", "40 hex digits"),
        ("someone/cells", "", "40 hex digits"),
    ],
)
def test_what_is_no_pinned_repository_is_refused(standin, empty, monkeypatch, name, revision, sentence):
    configure(monkeypatch, revision, name)
    with pytest.raises(InputError, match=sentence):
        hub.configured()
    assert sentence in cell(empty).problem
    assert standin.requests == []


def test_first_requests_at_once_ask_once(standin, files, empty, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    repo = hub.configured()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: hub.listing(repo), range(8)))
    assert all(one.keys() == files.keys() for one in found)
    assert len([asked for asked in standin.requests if "/tree/" in asked]) == 1


def test_a_hub_cells_size_counts_what_is_not_fetched_yet(standin, files, empty, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    found = cell(empty)
    catalogue.describe(found)  # the two small files
    before = catalogue._size(found)
    Zoo(empty).load(found)
    assert before == catalogue._size(found) > 10_000


def test_a_cache_that_cannot_be_written_is_a_sentence(standin, files, empty, monkeypatch, tmp_path):
    configure(monkeypatch, standin.add(NAME, files))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    assert "the Hub's cache cannot be written" in cell(empty).problem


def test_own_checkpoints_win_over_the_hub(standin, files, tiny_zoo, empty, monkeypatch):
    configure(monkeypatch, standin.add(NAME, files))
    shutil.copytree(tiny_zoo, empty, dirs_exist_ok=True)
    (empty / CELL / "config.json").write_text("{}")
    assert "is not a checkpoint's configuration" in cell(empty).problem, "damage is said, not papered over"
    assert standin.requests == []
