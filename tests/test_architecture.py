"""DESIGN's rules about who imports whom, read from the source: a wrong arrow fails here, not in a review."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("mmdemo/**/*.py"), *ROOT.glob("train/**/*.py"), ROOT / "app.py"])
#: What the browser gets: scripts and styles.
WEB = sorted(
    file
    for room in ("mmdemo", "train")
    for kind in ("js", "css")
    for file in ROOT.glob(f"{room}/**/*.{kind}")
)

#: Left to right: a room may import what stands left of it, and itself.
ORDER = (
    "types",
    "terminal",
    "measures",
    "figures",
    "datasets",
    "photo",
    "posts",
    "formats",
    "surveys",
    "review",
    "models",
    "cells",
    "photo_words",
    "explain",
    "answer",
    "batch",
    "space",
    "ui",
    "commands",
    "__main__",
)
#: The page needs a model's tables for its pickers, and nothing else of it.
TABLES = {"models.config", "models.encoders.table", "models.fusion.table"}
#: Rooms that see less than what stands left of them.
NARROW = {
    "figures": {"types"},
    "datasets": {"types"},
    "review": {"types", "datasets", "photo", "posts", "formats"},
    "models": {"types", "datasets", "photo", "posts"},
    "ui": {*ORDER[: ORDER.index("models")], *TABLES, "cells", "photo_words", "answer"} - {"surveys"},
}
#: The one thing that the package itself offers.
FRONT = "mmdemo.answer.extraction.in_python"
#: What training sees of the app: no review desk, no answers, no page.
FOR_TRAINING = {*ORDER[: ORDER.index("explain")]} - {"figures", "surveys", "review"}
#: What measures whole answers, as visitors get them, sees these too.
MEASURES_ANSWERS = ("train.score.triples", {"answer"})


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


@cache
def imports(file: Path) -> tuple[str, ...]:
    """Full names of all modules that a file imports, anywhere in it."""
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[str]:
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)}: write imports in full"
            assert node.module
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                is_module = (ROOT / inside.replace(".", "/")).with_suffix(".py").exists()
                yield inside if is_module else node.module


def own_imports(file: Path) -> Iterator[str]:
    return (name for name in imports(file) if name.split(".")[0] in ("mmdemo", "train", "tests", "app"))


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_imports_follow_the_arrows(file):
    importer = name_of(file).split(".")
    for imported in own_imports(file):
        package, _, inner = imported.partition(".")
        assert package != "tests" and package != "app", f"{importer} imports {imported}"
        if importer[0] == "app":
            assert package == "mmdemo" and inner.split(".")[0] == "ui"
        elif importer == ["mmdemo", "__init__"]:
            assert imported == FRONT
        elif importer[0] == "mmdemo":
            assert package == "mmdemo", "nothing that the app needs may import the training package"
            room, theirs = importer[1], inner.split(".")[0]
            if room in NARROW:
                assert theirs == room or {inner, theirs} & NARROW[room], f"{room} may not see {inner}"
            else:
                assert ORDER.index(theirs) <= ORDER.index(room), f"{room} stands left of {theirs}"
        elif package == "mmdemo":
            module, more = MEASURES_ANSWERS
            seen = FOR_TRAINING | (more if name_of(file) == module else set())
            assert inner.split(".")[0] in seen, f"train may not see {inner}"


def test_the_room_names_above_are_the_real_ones():
    rooms = {p.stem for p in (ROOT / "mmdemo").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert rooms - {"__init__"} == set(ORDER)


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("gradio", ("mmdemo.ui.", "app")),
        ("transformers", ("mmdemo.models.encoders.", "mmdemo.photo_words.captioner")),
        ("tokenizers", ("mmdemo.models.subtokens",)),
        ("timm", ("mmdemo.models.encoders.image", "train.analyse.photos", "train.bases.objects")),
        ("rapidocr", ("mmdemo.photo_words.ocr",)),
        ("onnxruntime", ("mmdemo.photo_words.ocr",)),
        ("cv2", ()),  # rapidocr's own
        ("sqlalchemy", ("mmdemo.review.store.",)),
        ("alembic", ("mmdemo.review.store.engine", "mmdemo.review.store.migrations.")),
        ("sqlite3", ("mmdemo.review.store.engine",)),
        (
            "huggingface_hub",
            ("mmdemo.cells.hub", "mmdemo.space.", "mmdemo.review.backup", "train.publish.push"),
        ),
        ("anyio", ("mmdemo.ui.serve.",)),
        ("accelerate", ("train.",)),
        ("seqeval", ("train.",)),
        ("wordcloud", ("train.analyse.",)),
        ("jinja2", ("train.analyse.page",)),
        ("sklearn", ("train.",)),
        ("optuna", ("train.experiments.",)),
    ],
)
def test_a_library_stays_at_home(library, homes):
    users = {name_of(f) for f in SOURCES if library in {name.split(".")[0] for name in imports(f)}}
    assert all(user.startswith(homes) for user in users), users


def test_figures_need_no_torch_and_no_global_state():
    for file in (ROOT / "mmdemo" / "figures").glob("*.py"):
        names = set(imports(file))
        assert not {name.split(".")[0] for name in names} & {"torch", "gradio"}, name_of(file)
        assert "matplotlib.pyplot" not in names, (
            f"{name_of(file)}: pyplot is one global state for all threads"
        )


def test_the_ui_has_no_torch_and_its_pages_no_gradio():
    """Pages are pure HTML: a command writes them too, and tests read them without a browser."""
    pages = {"page", "view", "safe", "card", "permalink", "post_bar", "titles"}
    seen = set()
    for file in (ROOT / "mmdemo" / "ui").rglob("*.py"):
        libraries = {name.split(".")[0] for name in imports(file)}
        assert not libraries & {"torch", "torchvision", "transformers", "timm"}, name_of(file)
        if file.stem in pages:
            seen.add(file.stem)
            assert "gradio" not in libraries, name_of(file)
    assert seen == pages


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_files_are_short_and_named_for_what_they_do(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300
    assert not {"utils", "util", "helpers", "helper", "misc", "common"} & set(file.with_suffix("").parts)


@pytest.mark.parametrize("file", WEB, ids=lambda file: str(file.relative_to(ROOT)))
def test_scripts_and_styles_are_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("kind", [".py", ".js"])
def test_no_folder_is_crowded(kind):
    """A folder of over 15 modules is two of something."""
    folders = Counter(file.parent for file in [*SOURCES, *WEB] if file.suffix == kind)
    assert folders
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > 15} == {}


def test_init_files_are_empty():
    """But for the two that scripts import from, which import what is asked for when it is asked for."""
    full = [name_of(f) for f in SOURCES if f.name == "__init__.py" and f.read_text().strip()]
    assert full == ["mmdemo.__init__", "mmdemo.review.store.__init__"]


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_nothing_unpickles(file):
    assert not {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"} & set(imports(file))
    for node in nodes(file):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {k.arg: ast.unparse(k.value) for k in node.keywords}
        assert called != "torch.save", f"line {node.lineno}: write safetensors"
        if called == "torch.load":
            assert given.get("weights_only") == "True", f"line {node.lineno}: torch.load unpickles"
        if called in ("np.load", "numpy.load"):
            assert given.get("allow_pickle", "False") == "False", f"line {node.lineno}: np.load unpickles"
        assert given.get("allow_pickle") != "True", f"line {node.lineno}"
        assert called not in ("eval", "exec"), f"line {node.lineno}"


#: A dataset's name, or a label: both belong into the datasets' files. `formats/mnre.py` is a format's name.
NAMED = re.compile(r"twitter20|\bmnre\b|\bPER\b")
FORMATS_NAME = {"mmdemo.formats.table", "mmdemo.formats.mnre"}


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_no_code_names_a_dataset_or_a_label(file):
    """What is true of one dataset alone stands in its toml file, where anybody can have a row."""
    lines = file.read_text(encoding="utf-8").splitlines()
    found = [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if NAMED.search(line)]
    assert name_of(file) in FORMATS_NAME or found == []
