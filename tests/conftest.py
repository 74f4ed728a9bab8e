"""What every test shares: no network, one thread, fixed seeds, a tiny zoo, and the real data where it is."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

# Before the imports below: the libraries read these when they are imported, as in all that tests start.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A second thread waits by spinning: where all cores are busy, an answer takes three times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from mmdemo.models.subtokens import TextReader  # noqa: E402

# A busy machine is slow: neither an example's time nor that of drawing it is what these tests are about.
settings.register_profile(
    "mmdemo",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mmdemo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a long test come first: one that starts last keeps a core alone while the other idles."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """What stands now stays: each full collection would look through ten thousand tests, for seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders of its own for what Gradio keeps (an app that stops deletes files, also those of others) and
    for what was read off photos (in a person's own cache a test would find what it should read)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        patch.setenv("MMDEMO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def seeded() -> None:
    np.random.seed(1337)
    torch.manual_seed(1337)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data (never committed): ``../shared/data`` beside the repository, or $MMDEMO_DATA."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MMDEMO_DATA", default))
    if not (folder / "README.md").is_file():
        pytest.skip(f"the real data is not at {folder}; set MMDEMO_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The checkpoints under test: those of the repository, or $MMDEMO_CHECKPOINTS. Read only."""
    return Path(os.environ.get("MMDEMO_CHECKPOINTS", Path(__file__).resolve().parents[1] / "checkpoints"))


@pytest.fixture(scope="session")
def reader() -> TextReader:
    """The shipped vocabulary with the usual limit of 128 sub-tokens."""
    from tests.tiny import TOKENIZER  # here: a second of imports that not every test needs

    return TextReader.load(TOKENIZER, 128)


@pytest.fixture(scope="session")
def tiny_zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a tiny cell for every dataset, model and fusion. Read only: copy it to damage."""
    from tests.tiny import build_zoo

    root = tmp_path_factory.mktemp("zoo")
    build_zoo(root)
    return root
