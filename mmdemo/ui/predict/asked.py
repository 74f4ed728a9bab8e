"""What somebody asks, on the page or by an endpoint: which cell, which post, what its photo says in words."""

from dataclasses import dataclass

from mmdemo.cells.locate import Cell
from mmdemo.datasets.schema import Dataset
from mmdemo.posts.question import read_post
from mmdemo.types import PhotoWords, Question
from mmdemo.ui.predict.pickers import ready_cell


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A cell by its names, and a post as it was sent; ``photo`` is the file that was uploaded."""

    preset: str
    dataset: str
    model: str
    fusion: str
    text: str | None
    photo: str | None
    words: tuple[PhotoWords, ...] = ()

    def cell(self) -> Cell:
        """The picked cell. Raises InputError as `ready_cell`."""
        return ready_cell(self.preset, self.dataset, self.model, self.fusion)

    def question(self, dataset: Dataset) -> Question:
        """The post as cells of this dataset read it. Raises InputError as `read_post`."""
        return read_sent(self.text, dataset, self.photo, self.words)


def read_sent(
    text: str | None, dataset: Dataset, photo: str | None, words: tuple[PhotoWords, ...]
) -> Question:
    """`read_post` for a text that came as JSON: nothing, or half of a surrogate pair (a cut emoji), which
    cannot be sent back as JSON."""
    whole = (text or "").encode("utf-8", "replace").decode("utf-8")
    return read_post(whole, dataset, photo, words)
