"""The way of a person with a dataset of their own, as the script that they can run walks it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from mmdemo.cells.locate import list_cells
from mmdemo.datasets.discovery import bundled
from tests import forking
from tests.harbour import write_harbour

ROOT = Path(__file__).resolve().parents[1]
MUSIC = Path(os.environ.get("MMDEMO_DATA", ROOT.parent / "shared" / "data")) / "crossre"


def walk(folder: Path | None, work: Path) -> str:
    """What the script says; it ends with an error where a step does."""
    environment = os.environ | {"PYTHON": forking.python(), "LIMIT": "12"}
    done = subprocess.run(
        [ROOT / "tests" / "own_dataset.sh", folder or "", work],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def card(work: Path) -> dict:
    return json.loads((work / "runs/tiny/mine/roberta-resnet50/film/config.json").read_text())


@pytest.mark.long
def test_a_made_up_set_with_photos_goes_from_files_to_a_cell_and_back(tmp_path: Path) -> None:
    work = tmp_path / "work"
    said = walk(None, work)
    assert "splits made, alike in labels" in said and "all of it worked" in said
    for name in ("jsonl", "dygie", "brat", "label-studio", "conll"):  # conll: less the relations
        assert f"{name}: 48 posts read back equal" in said
    assert card(work)["training"]["data"] == "the dataset's own photos"
    ready = [cell for cell in list_cells(work / "runs", "tiny") if cell.problem is None]
    assert [cell.dataset.name for cell in ready] == ["mine"] and "mine" not in bundled()
    kinds = {kind.label for kind in (*ready[0].dataset.entities, *ready[0].dataset.relations)}
    assert kinds == {"ship", "port", "sailor", "docks-in", "serves-on"}


@pytest.mark.skipif(not MUSIC.is_dir(), reason="needs the shared data")
@pytest.mark.long
def test_sentences_about_music_go_the_same_way_without_photos(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for file in sorted(MUSIC.glob("*.json")):
        lines = file.read_text(encoding="utf-8").splitlines()[: 30 if "train" in file.name else 8]
        (folder / file.name).write_text("\n".join(lines), encoding="utf-8")
    said = walk(folder, tmp_path / "work")
    assert "photos: none, text only" in said and "dygie: 30 posts read back equal" in said
    assert card(tmp_path / "work")["training"]["data"] == "no photos"


def test_the_made_up_set_is_one_file_of_posts_and_their_photos(tmp_path: Path) -> None:
    folder = write_harbour(tmp_path / "harbour", 12)
    lines = [json.loads(line) for line in (folder / "posts.jsonl").read_text().splitlines()]
    named = [line["image"] for line in lines if "image" in line]
    assert len(lines) == 12 and len(named) == 10 and all((folder / name).is_file() for name in named)
