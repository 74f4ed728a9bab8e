"""Posts as tensors. The one place that pads.

Shape legend, used in every name: B batch, L sub-tokens, W words, R image regions, K sub-tokens of the photo's
words, D width, H heads, T tags, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from mmdemo.models.features import PhotoTokens
from mmdemo.models.photo_text import PADDING, PhotoText
from mmdemo.models.subtokens import TextInput

IGNORED = -100  # cross-entropy's ignore_index: a padded or unseen word


@dataclass(frozen=True, kw_only=True)
class Example:
    """One post, ready to be batched. Cached states stand in for what an encoder would compute again.

    ``words`` is what the photo says in words, for models that read it; ``word_states_KD`` its states.
    ``taught`` are a teacher's probabilities, (W, T) or (C,), with NaN for a word that it did not see.
    """

    text: TextInput
    target: tuple[int, ...] | int | None = None  # tag indices by word (NER) or a class index (RE)
    pixels_CHW: np.ndarray | None = None
    states_LD: Tensor | None = None
    regions_RD: Tensor | None = None
    words: PhotoText | None = None
    word_states_KD: Tensor | None = None
    taught: np.ndarray | None = None

    @property
    def has_image(self) -> bool:
        return self.pixels_CHW is not None or self.regions_RD is not None

    @property
    def has_words(self) -> bool:
        return self.words is not None

    @property
    def present(self) -> bool:
        """Whether anything stands beside the text: a photo, its words, or both."""
        return self.has_image or self.has_words

    def without_photo(self) -> "Example":
        """Without the picture; its words stay."""
        return replace(self, pixels_CHW=None, regions_RD=None)

    def without_words(self) -> "Example":
        return replace(self, words=None, word_states_KD=None)

    def keeping_words(self, kept: Sequence[bool]) -> "Example":
        """With some of the photo's words alone. States that are cached had read the others too."""
        if self.words is None:
            return self
        if (text := self.words.keeping(kept)) is None:
            return self.without_words()
        states_KD = self.word_states_KD
        if states_KD is not None:
            states_KD = states_KD[self.words.kept_places(kept)]
        return replace(self, words=text, word_states_KD=states_KD)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Padded tensors of some posts.

    ``first_BW`` holds each word's first sub-token (-1: none). ``present_B`` is False where a post has no
    photo; its pixels or regions are then zeros. Encoders are skipped where ``states_BLD`` or
    ``regions_BRD`` (their own earlier outputs) are given; with no photo in the whole batch, pixels and
    regions are both None. What the photos say in words stands in ``word_…``, with `PADDING` for a source
    where there is nothing; all are None where no photo of the batch says anything. ``taught`` has NaN where
    no teacher answered.
    """

    ids_BL: Tensor
    features_BL: Tensor
    mask_BL: Tensor
    first_BW: Tensor
    present_B: Tensor
    markers_B4: Tensor | None = None
    targets: Tensor | None = None  # (B, W) tags or (B,) classes
    pixels_BCHW: Tensor | None = None
    states_BLD: Tensor | None = None
    regions_BRD: Tensor | None = None
    word_ids_BK: Tensor | None = None
    word_features_BK: Tensor | None = None
    word_sources_BK: Tensor | None = None
    word_states_BKD: Tensor | None = None
    taught: Tensor | None = None  # (B, W, T) or (B, C)

    @property
    def words(self) -> PhotoTokens | None:
        """What the photos say in words, as an encoder takes it."""
        if self.word_ids_BK is None or self.word_features_BK is None or self.word_sources_BK is None:
            return None
        return PhotoTokens(
            ids_BK=self.word_ids_BK, features_BK=self.word_features_BK, sources_BK=self.word_sources_BK
        )

    def to(self, device: torch.device | str) -> "Batch":
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v.to(device) for k, v in moved.items() if v is not None})

    def without_images(self) -> "Batch":
        """The same posts as if none had a photo, nor its words; not for a joint encoder's cached states,
        which saw it.
        """
        return self.without_photo().without_words()

    def without_photo(self) -> "Batch":
        """The same posts without their pictures; what those say in words stays."""
        return replace(self, present_B=torch.zeros_like(self.present_B), pixels_BCHW=None, regions_BRD=None)

    def without_words(self) -> "Batch":
        """The same posts without what their photos say in words."""
        return replace(
            self, word_ids_BK=None, word_features_BK=None, word_sources_BK=None, word_states_BKD=None
        )


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples into one `Batch`. Targets are there only when every example states one."""
    longest = max(len(e.text.ids) for e in examples)
    words = max(len(e.text.first) for e in examples)
    have_targets = all(e.target is not None for e in examples)
    return Batch(
        ids_BL=_pad([e.text.ids for e in examples], longest, 0),
        features_BL=_pad([e.text.features for e in examples], longest, 0),
        mask_BL=_pad([[1] * len(e.text.ids) for e in examples], longest, 0).bool(),
        first_BW=_pad([e.text.first for e in examples], words, -1),
        present_B=torch.tensor([e.has_image for e in examples]),
        markers_B4=_markers(examples),
        targets=_targets(examples, words) if have_targets else None,
        pixels_BCHW=_stack(
            [None if e.pixels_CHW is None else torch.from_numpy(e.pixels_CHW) for e in examples]
        ),
        states_BLD=_pad_states([e.states_LD for e in examples], longest),
        regions_BRD=_stack([e.regions_RD for e in examples]),
        taught=_taught([e.taught for e in examples], words),
        **_words(examples),
    )


def _words(examples: Sequence[Example]) -> dict[str, Tensor]:
    """The fields of what the photos say in words; none where no photo says anything."""
    texts = [e.words for e in examples]
    longest = max((len(text.ids) for text in texts if text is not None), default=0)
    if not longest:
        return {}
    found = {
        "word_ids_BK": _pad([text.ids if text else () for text in texts], longest, 0),
        "word_features_BK": _pad([text.features if text else () for text in texts], longest, 0),
        "word_sources_BK": _pad([text.sources if text else () for text in texts], longest, PADDING),
    }
    if all(e.word_states_KD is not None for e in examples if e.has_words):
        width = next(e.word_states_KD.shape[-1] for e in examples if e.word_states_KD is not None)
        nothing = torch.zeros(0, width)
        states = [e.word_states_KD if e.word_states_KD is not None else nothing for e in examples]
        found["word_states_BKD"] = _pad_all(states, longest)
    return found


def _pad(rows: Sequence[Sequence[int]], length: int, value: int) -> Tensor:
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows], dtype=torch.long)


def _markers(examples: Sequence[Example]) -> Tensor | None:
    markers = [e.text.markers for e in examples if e.text.markers is not None]
    return torch.tensor(markers) if len(markers) == len(examples) else None


def _targets(examples: Sequence[Example], words: int) -> Tensor:
    if isinstance(examples[0].target, int):
        return torch.tensor([e.target for e in examples])
    rows = []
    for e in examples:
        assert isinstance(e.target, tuple)
        rows.append([t if f >= 0 else IGNORED for t, f in zip(e.target, e.text.first, strict=True)])
    return _pad(rows, words, IGNORED)


def _taught(rows: Sequence[np.ndarray | None], words: int) -> Tensor | None:
    """A teacher's answers, padded with NaN; none where an example has none."""
    given = [torch.from_numpy(row).float() for row in rows if row is not None]
    if len(given) < len(rows):
        return None
    if given[0].ndim == 1:
        return torch.stack(given)
    padded = torch.full((len(given), words, given[0].shape[-1]), torch.nan)
    for row, answer_WT in zip(padded, given, strict=True):
        row[: len(answer_WT)] = answer_WT
    return padded


def _stack(items: Sequence[Tensor | None]) -> Tensor | None:
    given = [item for item in items if item is not None]
    if not given:
        return None
    empty = torch.zeros_like(given[0])
    return torch.stack([empty if item is None else item for item in items]).float()


def _pad_states(items: Sequence[Tensor | None], longest: int) -> Tensor | None:
    given = [item for item in items if item is not None]
    if len(given) < len(items):
        return None
    return _pad_all(given, longest)


def _pad_all(items: Sequence[Tensor], longest: int) -> Tensor:
    padded = torch.zeros(len(items), longest, items[0].shape[-1])
    for row, item in zip(padded, items, strict=True):
        row[: len(item)] = item
    return padded
