"""A folder on its way to a Space: what is wrong with it is said first; nothing goes up until it is right."""

import io
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.space.command import check_folder
from mmdemo.space.front_matter import read_front_matter
from mmdemo.space.packages import check_packages, read_requirements, resolve
from mmdemo.types import InputError
from tests.hub_standin import Hub, running_hub, use

ROOT = Path(__file__).resolve().parents[2]
README = """---
title: A demo
sdk: gradio
sdk_version: 6.31.0
python_version: "3.12"
app_file: app.py
license: apache-2.0
---
# A demo
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """The least that passes."""
    folder = tmp_path / "space"
    folder.mkdir()
    (folder / "README.md").write_text(README)
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "requirements.txt").write_text("numpy>=2\ngradio>=6.31,<7\n")
    return folder


def problems(folder: Path) -> str:
    return "\n".join(check_folder(folder).problems)


def test_the_least_passes(folder):
    report = check_folder(folder)
    assert report.problems == () and len(report.files) == 3 and report.size > 100


def test_this_repository_passes():
    report = check_folder(ROOT)
    assert report.problems == ()
    values = read_front_matter(ROOT / "README.md")
    assert (
        values["sdk"] == "gradio" and values["python_version"] == "3.12" and values["license"] == "apache-2.0"
    )
    assert not [path for path in report.files if path.parts[0] in ("tests", ".ci", ".venv")]


# ---------------------------------------------------------------- front matter


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("---\ntitle", "# no\n---\ntitle", "has no front matter"),
        ("title: A demo", "title: [", "is not YAML"),
        ("title: A demo\n", "", "lacks title"),
        ("sdk: gradio", "sdk: docker", "it must be gradio"),
        ("6.31.0", "6.31", "a whole version"),
        ('"3.12"', "3.10", "quoted text"),
        ("app.py", "main.py", "main.py, which is not there"),
        ("app.py", "../app.py", "a path inside the folder"),
        ("license: apache-2.0", "license: apache-2.0\nhardware: big", "'hardware', which Spaces do not know"),
        ("license:", "suggested_hardware: h9000\nlicense:", "a hardware that Spaces have"),
        ("license:", "startup_duration_timeout: 30\nlicense:", "such as 30m"),
        ("license:", "hf_oauth_scopes: [root]\nlicense:", "a list of scopes"),
        ("license:", "hf_oauth: 'yes'\nlicense:", "true or false"),
        ("license:", "models: [bert]\nlicense:", "a list of owner/name"),
        ("license:", f"short_description: {'x' * 61}\nlicense:", "at most 60"),
        ("license:", "colorFrom: mauve\nlicense:", "one of red"),
        ("license:", "emoji: ab\nlicense:", "one emoji"),
        ("license:", "a: !!python/object/apply:os.system [id]\nlicense:", "is not YAML"),
    ],
)
def test_front_matter_that_a_space_would_misread(folder, old, new, sentence):
    (folder / "README.md").write_text(README.replace(old, new))
    assert sentence in problems(folder)


@pytest.mark.parametrize(
    "line",
    [
        "suggested_hardware: l40sx8",
        "suggested_hardware: zero-a10g",
        "hf_oauth_scopes: [jobs, write-discussions]",
        "preload_from_hub: [me/cells, 'me/cells a.json,b.json 0123abc']",
        "startup_duration_timeout: 1h",
    ],
)
def test_front_matter_that_a_space_knows(folder, line):
    (folder / "README.md").write_text(README.replace("license:", f"{line}\nlicense:"))
    assert problems(folder) == ""


def test_a_folder_without_readme_or_no_folder(folder):
    (folder / "README.md").unlink()
    assert "README.md is missing" in problems(folder)
    with pytest.raises(InputError, match="is not a folder"):
        check_folder(folder / "nowhere")


# ---------------------------------------------------------------- contents


def zipped_pickle() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.md", b"token hf_" + b"a" * 34, "holds a Hugging Face token"),
        ("conf.ini", b"AKIA" + b"A1B2" * 4, "holds an AWS key"),
        ("id.txt", b"-----BEGIN RSA PRIVATE KEY-----\nx", "holds a private key"),
        ("db.cfg", b"postgresql://me:hunter22@db.example.org/x", "a password in an address"),
        ("ci.yml", b"ghp_" + b"a" * 36, "holds a GitHub token"),
        (".env", b"A=1", "named like a secret"),
        ("id_ed25519", b"x", "named like a secret"),
        ("m.pt", b"x", "may be a pickle"),
        ("weights.safetensors", pickle.dumps({"a": [1]}), "is a pickle, whatever its name"),
        ("old.dat", pickle.dumps([1, 2], protocol=2), "is a pickle, whatever its name"),
        ("torch.zip", zipped_pickle(), "is a pickle, whatever its name"),
        (".ENV", b"x", "is named like a secret"),
        ("reviews.sqlite3", b"SQLite format 3\0rest", "reviews hold people's names and tweets"),
    ],
)
def test_secrets_and_pickles_stay_here(folder, name, content, sentence):
    (folder / name).write_bytes(content)
    assert sentence in problems(folder)


def test_sizes_and_links(folder, monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("x")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "gone").symlink_to(folder / "nothing")
    with (folder / "big.safetensors").open("wb") as stream:
        stream.truncate(300 * 2**20)
    monkeypatch.setattr("mmdemo.space.contents.MAX_TOTAL", 2**20)
    found = problems(folder)
    assert "out is a link out of the folder" in found and "gone is a link to nothing" in found
    assert "big.safetensors has 300 MB" in found and "the folder has 0.3 GB" in found


def test_what_is_never_pushed(folder):
    for name in (
        ".venv/x.pkl",
        "tests/x.pkl",
        "runs/x.pt",
        "reviews.photos/x.pt",
        "mmdemo/__pycache__/x.pkl",
    ):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"x")
    assert problems(folder) == ""


# ---------------------------------------------------------------- requirements


def test_requirements_that_a_space_could_not_install(folder):
    file = folder / "requirements.txt"
    file.write_text("gradio>=5,<6\ntorch>=3\nnumpy<1\n-r other.txt\nx @ git+ssh://a/b\n# note\n\n")
    (folder / "README.md").write_text(README.replace("license:", "suggested_hardware: zero-a10g\nlicense:"))
    found = problems(folder)
    assert "gradio<6,>=5, but README.md's sdk_version is 6.31.0" in found
    assert "but ZeroGPU runs torch" in found
    assert "asks for numpy<1, but" in found
    assert "line 4 is not a plain requirement" in found and "line 5 installs from an address" in found
    assert len(read_requirements(file)[0]) == 4


def test_packages_are_followed_as_the_spaces_python_would(folder):
    (folder / "requirements.txt").write_text("gradio>=6.31,<7\nnot-a-package-of-ours>=1\n")
    assert check_packages(folder, "3.12", "6.31.0", "") == []
    found = check_packages(folder, "3.6", "6.31.0", "")
    assert any("gradio 6" in line and "does not run on Python 3.6" in line for line in found)


def test_pip_is_asked_for_the_spaces_python(folder, monkeypatch):
    asked = []

    def run(command, **_):
        asked.extend(command)
        error = "WARNING: x\nERROR: No matching distribution found for numpy>=99\n"
        return type("Done", (), {"returncode": 1, "stderr": error})()

    monkeypatch.setattr("subprocess.run", run)
    (problem,) = resolve(folder, "3.12", "6.31.0")
    assert (
        problem
        == "pip finds no set of packages for Python 3.12: No matching distribution found for numpy>=99"
    )
    assert asked[asked.index("--python-version") + 1] == "3.12" and "--dry-run" in asked
    assert "gradio[oauth]==6.31.0" in asked


# ---------------------------------------------------------------- the command and the push


@pytest.fixture
def standin(monkeypatch, tmp_path):
    with running_hub() as running:
        use(running, tmp_path / "cache", monkeypatch)
        yield running


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["space", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own upload
def test_a_ready_folder_is_pushed_and_pushed_again(standin: Hub, folder):
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_x.py").write_text("")
    assert run("--check", str(folder)).startswith("ready: 4 files")
    assert standin.requests == []
    run("--folder", str(folder), "--push", "me/demo")
    held = standin.repos["spaces/me/demo"]
    assert held.private and held.sdk == "gradio"
    assert set(held.commits[-1][1]) == {"README.md", "app.py", "picture.png", "requirements.txt"}
    (folder / "app.py").write_text("print('again')\n")
    run("--folder", str(folder), "--push", "me/demo")
    assert len(held.commits) == 2 and held.commits[-1][1]["app.py"] == b"print('again')\n"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_a_push_takes_away_what_is_no_longer_there(standin: Hub, folder):
    (folder / "old.py").write_text("")
    run("--folder", str(folder), "--push", "me/demo")
    standin.add("spaces/me/demo", {".gitattributes": b"* lfs"})
    (folder / "old.py").unlink()
    run("--folder", str(folder), "--push", "me/demo")
    commits = standin.repos["spaces/me/demo"].commits
    assert set(commits[-1][1]) == {".gitattributes", "README.md", "app.py", "requirements.txt"}
    assert "old.py" in commits[0][1], "history keeps it"


def test_a_folder_with_a_problem_is_not_pushed(standin: Hub, folder):
    (folder / "x.pkl").write_bytes(b"x")
    with pytest.raises(InputError, match="is not ready for a Space: 1 problems"):
        run("--folder", str(folder), "--push", "me/demo")
    assert standin.requests == []


def test_a_hub_that_refuses_is_one_sentence(standin: Hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="the Hub did not take me/demo") as caught:
        run("--folder", str(folder), "--push", "me/demo")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="say what to do"):
        run()


def test_another_folder_than_the_one_checked_is_not_pushed(standin: Hub, folder, tmp_path):
    with pytest.raises(InputError, match="what is checked is what is pushed"):
        run("--check", str(folder), "--folder", str(tmp_path), "--push", "me/demo")
    assert standin.requests == []


def test_git_decides_what_goes_along(folder):
    if not shutil.which("git"):
        pytest.skip("there is no git on this machine")
    import subprocess

    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "run.log").write_text("x")
    assert [p.name for p in check_folder(folder).files] == [
        ".gitignore",
        "README.md",
        "app.py",
        "requirements.txt",
    ]
