"""A Space without checkpoints: those on the Hub are preloaded while it is built and found when it runs."""

import pytest
from huggingface_hub import constants, hf_hub_download
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.cells import catalogue, hub
from mmdemo.cells.locate import list_cells
from mmdemo.cells.zoo import Zoo
from mmdemo.models.fusion.table import fusions_of
from mmdemo.space.command import check_folder
from mmdemo.space.front_matter import read_front_matter
from mmdemo.types import InputError
from tests.hub_standin import Hub, running_hub, use

CELL = "tiny/twitter2017/roberta-resnet50/film"
README = """---
title: A demo
sdk: gradio
sdk_version: 6.31.0
python_version: "3.12"
app_file: app.py
license: apache-2.0
---
# A demo

---
preload_from_hub: words
"""


@pytest.fixture
def standin(monkeypatch, tmp_path):
    hub.forget()
    with running_hub() as running:
        use(running, tmp_path / "cache", monkeypatch)
        yield running
    hub.forget()


@pytest.fixture
def commit(standin: Hub, tiny_zoo) -> str:
    """The cells of one model on the Hub."""
    files = {f.relative_to(tiny_zoo).as_posix(): f for f in tiny_zoo.rglob("*") if f.is_file()}
    wanted = {p: f.read_bytes() for p, f in files.items() if p.startswith((CELL[:-5], "lite/base/"))}
    return standin.add("models/me/cells", {**wanted, "README.md": b"# cells", f"{CELL}/README.md": b"# film"})


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "space"
    (folder / "checkpoints" / "lite").mkdir(parents=True)
    with (folder / "checkpoints" / "lite" / "model.safetensors").open("wb") as stream:
        stream.truncate(300 * 2**20)  # more than may be pushed
    (folder / "README.md").write_text(README)
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "requirements.txt").write_text("numpy>=2\ngradio>=6.31,<7\n")
    return folder


def push(folder, cells: str) -> None:
    command = ["space", "--folder", str(folder), "--push", "me/demo", "--cells", cells]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own upload
def test_a_space_preloads_its_cells_and_needs_no_more(standin: Hub, commit, folder, tmp_path, monkeypatch):
    push(folder, f"me/cells@{commit}")
    space = standin.repos["spaces/me/demo"]
    assert set(space.commits[-1][1]) == {"README.md", "app.py", "requirements.txt"}
    pushed = tmp_path / "pushed"
    pushed.mkdir()
    for name, data in space.commits[-1][1].items():
        (pushed / name).write_bytes(data)
    assert check_folder(pushed).problems == ()
    assert (pushed / "README.md").read_text().endswith("---\n# A demo\n\n---\npreload_from_hub: words\n")
    for line in read_front_matter(pushed / "README.md")["preload_from_hub"]:  # as the Space's builder does
        repo, files, revision = line.split(" ")
        for file in files.split(","):
            hf_hub_download(repo, file, revision=revision, endpoint=constants.ENDPOINT)

    hub.forget()  # as in the Space's own process
    (tmp_path / "cache" / "models--me--cells" / f"mmdemo-{commit}.json").unlink()
    standin.requests.clear()
    for name, value in space.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(pushed / "checkpoints"))
    cells = [cell for cell in list_cells(pushed / "checkpoints", "tiny") if not cell.problem]
    assert [cell.fusion for cell in cells if cell.name == CELL] == ["film"] and (
        len(cells) == len(fusions_of(CELL.split("/")[2]))
    )
    for cell in cells:
        Zoo(pushed / "checkpoints").load(cell)
        assert catalogue.describe(cell)["source"].startswith("me/cells at ")
    assert not [asked for asked in standin.requests if "resolve" in asked]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ("me/cells", "40 hex digits of a commit"),
        ("me/cells@main", "40 hex digits of a commit"),
        ("cells@" + "a" * 40, "must be owner/name"),
        ("me/cells@" + "a" * 40, "did not say what me/cells at aaaaaaa holds"),
    ],
)
def test_cells_that_are_nowhere_are_said_before_anything_is_pushed(
    standin: Hub, commit, folder, cells, sentence
):
    with pytest.raises(InputError, match=sentence):
        push(folder, cells)
    assert not [asked for asked in standin.requests if asked.startswith("POST")]


def test_private_cells_are_refused_as_the_space_could_not_read_them(standin: Hub, commit, folder):
    standin.repos["models/me/cells"].private = True
    with pytest.raises(InputError, match="make that repository public first"):
        push(folder, f"me/cells@{commit}")
    assert "spaces/me/demo" not in standin.repos


def test_cells_without_a_push_are_a_sentence(folder):
    command = ["space", "--check", str(folder), "--cells", "me/cells@" + "a" * 40]
    with pytest.raises(InputError, match="give --push owner/name too"):
        CliRunner().invoke(app, command, catch_exceptions=False)


def test_a_repository_without_cells_or_a_second_preload_is_refused(standin: Hub, commit, folder):
    with pytest.raises(InputError, match="holds no checkpoint"):
        push(folder, "me/words@" + standin.add("models/me/words", {"README.md": b"# words"}))
    own = '"preload_from_hub":\n  - a/b\n'
    (folder / "README.md").write_text(README.replace("license:", f"{own}license:"))
    with pytest.raises(InputError, match="a preload_from_hub of its own"):
        push(folder, f"me/cells@{commit}")
    assert "spaces/me/demo" not in standin.repos
