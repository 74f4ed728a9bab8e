"""What every test shares: no network, two threads, fixed seeds, and the real data where it is at hand."""

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(2)

settings.register_profile("mmdemo", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("mmdemo")


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
