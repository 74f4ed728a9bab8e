"""The words of a photo as sub-tokens: one short text, where each sub-token knows the source it came from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mmdemo.models.subtokens import TextReader, letter_case
from mmdemo.posts.cleaning import WORD_CHARACTERS
from mmdemo.types import PHOTO_SOURCES, PhotoSource, PhotoWords

#: Sub-tokens of a photo's words, start and end included. A tweet has twice as many: a photo's words stand
#: beside it, and must not cost more than it.
LIMIT = 64

#: Sub-tokens of one word, so that an address in small print cannot crowd out a sign.
WORD_LIMIT = 16

#: Words that are looked at, and characters of one text: a page of small print is read no further.
WORDS_SEEN, CHARACTERS = 256, 8192

#: What stands in the place of a source: at the start and the end of the text, and in padding.
SPECIAL, PADDING = -1, -2


@dataclass(frozen=True, kw_only=True)
class SaidWord:
    """One word of a photo: its source, and ``part``, the index of its `PhotoWords` in the post's."""

    text: str
    source: PhotoSource
    part: int


@dataclass(frozen=True, kw_only=True)
class PhotoText:
    """A photo's words as sub-tokens, with [CLS] first and [SEP] last (RoBERTa's <s> and </s>).

    ``sources`` are indices into `PHOTO_SOURCES`, and ``owners`` into ``words``; both are `SPECIAL` at the two
    ends. Words that gave no sub-token, or found no room, are not among ``words``.
    """

    ids: tuple[int, ...]
    features: tuple[int, ...]
    sources: tuple[int, ...]
    owners: tuple[int, ...]
    words: tuple[SaidWord, ...]

    @property
    def regions(self) -> int:
        """How many regions the words are for a fusion: sub-tokens but for the two ends."""
        return len(self.ids) - 2

    def kept_places(self, kept: Sequence[bool]) -> list[int]:
        """The places of the sub-tokens that stay where ``kept`` says which words do; the ends stay."""
        return [place for place, owner in enumerate(self.owners) if owner == SPECIAL or kept[owner]]

    def keeping(self, kept: Sequence[bool]) -> "PhotoText | None":
        """The text with some of its words alone; None without any."""
        if not any(kept):
            return None
        numbers = {old: new for new, old in enumerate(w for w, stays in enumerate(kept) if stays)}
        places = self.kept_places(kept)
        return PhotoText(
            ids=tuple(self.ids[p] for p in places),
            features=tuple(self.features[p] for p in places),
            sources=tuple(self.sources[p] for p in places),
            owners=tuple(numbers.get(self.owners[p], SPECIAL) for p in places),
            words=tuple(word for word, stays in zip(self.words, kept, strict=True) if stays),
        )


def read_photo_text(reader: TextReader, said: Sequence[PhotoWords]) -> PhotoText | None:
    """The words of a photo in their order, as many as `LIMIT` sub-tokens hold; None where there are none."""
    found = list(islice(_words_of(said), WORDS_SEEN))
    encoded = reader.tokenizer.encode_batch([w.text for w in found], add_special_tokens=False)
    ids, features, sources, owners = [reader.start], [0], [SPECIAL], [SPECIAL]
    words: list[SaidWord] = []
    for word, pieces in zip(found, encoded, strict=True):
        own = pieces.ids[:WORD_LIMIT]
        if len(ids) + len(own) > LIMIT - 1:
            break
        if own:
            ids += own
            features += [letter_case(word.text)] * len(own)
            sources += [PHOTO_SOURCES.index(word.source)] * len(own)
            owners += [len(words)] * len(own)
            words.append(word)
    if not words:
        return None
    return PhotoText(
        ids=(*ids, reader.end),
        features=(*features, 0),
        sources=(*sources, SPECIAL),
        owners=(*owners, SPECIAL),
        words=tuple(words),
    )


def _words_of(said: Sequence[PhotoWords]) -> Iterator[SaidWord]:
    for part, one in enumerate(said):
        for text in one.text[:CHARACTERS].split():
            yield SaidWord(text=text[:WORD_CHARACTERS], source=one.source, part=part)
