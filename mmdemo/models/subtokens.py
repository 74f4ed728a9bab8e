"""Words to sub-token ids, keeping every word's place.

A word that gives no sub-token (an invisible character, a dropped URL, one beyond the limit) keeps its index
and has ``first == -1``: tags can never shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from pathlib import Path

from tokenizers import Tokenizer

from mmdemo.posts.cleaning import WORD_CHARACTERS
from mmdemo.posts.marks import MARKS
from mmdemo.types import InputError, Pair

#: Row of the encoder's feature embedding for each sub-token: letter case of its word, or a mark.
FEATURES = ("none", "lower", "upper", "title", "mixed", *MARKS)

#: Start, end and mask of a vocabulary, and the entries that stand for `MARKS`: ones that no text gives.
#: BERT's and its kind's first, then RoBERTa's, whose bytes cover every text: ``<unk>`` never comes from one;
#: then MPNet's, which has BERT's words and RoBERTa's ends.
SPECIALS = (
    ("[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]", "[unused2]", "[unused3]"),
    ("<s>", "</s>", "<mask>", "madeupword0000", "madeupword0001", "madeupword0002", "<unk>"),
    ("<s>", "</s>", "<mask>", "[unused0]", "[unused1]", "[unused2]", "[unused3]"),
)

#: Sub-tokens of one word that are read, so that a long URL cannot crowd out a tweet. No word of the three
#: datasets of the study has more than 26.
WORD_LIMIT = 32

#: Words that are looked at, those to be read first: more than this many that give no sub-token are no tweet.
WORDS_SEEN = 4096

#: Words that are split into sub-tokens at a time, until those that a model reads are found.
CHUNK = 256


@lru_cache(maxsize=4096)
def letter_case(word: str) -> int:
    """Row of `FEATURES` for a word's letter case; "none" where it has no cased letter."""
    letters = [c for c in word if c.isalpha()]
    if not any(c.isupper() or c.islower() for c in letters):
        return FEATURES.index("none")
    if all(not c.isupper() for c in letters):
        return FEATURES.index("lower")
    if all(not c.islower() for c in letters):
        return FEATURES.index("title" if len(letters) == 1 else "upper")
    if letters[0].isupper() and not any(c.isupper() for c in letters[1:]):
        return FEATURES.index("title")
    return FEATURES.index("mixed")


@dataclass(frozen=True, kw_only=True)
class TextInput:
    """One post's sub-tokens, with [CLS] first and [SEP] last (RoBERTa's <s> and </s>).

    ``first[w]`` is the position of word w's first sub-token, -1 where it has none. ``markers`` are the
    positions of [E1], [/E1], [E2], [/E2] (RE only). ``cut`` names the words beyond the limit.
    """

    ids: tuple[int, ...]
    features: tuple[int, ...]
    first: tuple[int, ...]
    markers: tuple[int, int, int, int] | None = None
    cut: tuple[int, ...] = ()


class TextReader:
    """Turns words into `TextInput` with an encoder's own vocabulary.

    Marks use four entries that no text gives (`SPECIALS`); their meaning is learnt in the feature embedding.
    A word such as "[SEP]" is only text here, and gives `WORD_LIMIT` sub-tokens at most.
    """

    def __init__(self, tokenizer: Tokenizer, max_subtokens: int) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokenizer.encode_special_tokens = True
        self.tokenizer = tokenizer
        self.limit = max_subtokens
        known = [names for names in SPECIALS if all(tokenizer.token_to_id(n) is not None for n in names)]
        names = known[-1] if known else SPECIALS[0]  # MPNet's vocabulary holds BERT's entries too
        self.start, self.end, self.mask, *self.mark_ids = [_id_of(tokenizer, name) for name in names]

    @classmethod
    def load(cls, file: Path, max_subtokens: int) -> "TextReader":
        """Read a ``tokenizer.json``. Raises InputError naming a file that is missing or damaged."""
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises a bare Exception
            raise InputError(f"the tokenizer file {file} is missing or damaged") from error
        return cls(tokenizer, max_subtokens)

    def read(self, words: Sequence[str], pair: Pair | None = None) -> TextInput:
        """Sub-tokens of the words, at most ``limit`` with marks and [CLS], [SEP].

        A text that is too long keeps its start (NER) or the words nearest to the marks (RE).
        """
        room = self.limit - 2 - (len(MARKS) if pair else 0)
        kept = self._fit(words, room, pair)
        ids, features, first = [self.start], [0], [-1] * len(words)
        markers = [0, 0, 0, 0]

        def put_marks(word: int, closing: bool) -> None:
            for m in _marks_at(pair, word, closing):
                markers[m] = len(ids)
                ids.append(self.mark_ids[m])
                features.append(FEATURES.index(MARKS[m]))

        for w in sorted({*kept, *_marked(pair)}):
            put_marks(w, closing=False)
            if pieces := kept.get(w):
                first[w] = len(ids)
                ids += pieces
                features += [letter_case(words[w][:WORD_CHARACTERS])] * len(pieces)
            put_marks(w + 1, closing=True)
        return TextInput(
            ids=(*ids, self.end),
            features=(*features, 0),
            first=tuple(first),
            markers=(markers[0], markers[1], markers[2], markers[3]) if pair else None,
            cut=tuple(w for w in range(len(words)) if w not in kept),
        )

    def _fit(self, words: Sequence[str], room: int, pair: Pair | None) -> dict[int, list[int]]:
        """The sub-tokens of the words that fit into ``room``, by index; what lies beyond is not split."""
        kept: dict[int, list[int]] = {}
        order = _nearest(len(words), pair)
        for at in range(0, len(order), CHUNK):
            chunk = order[at : at + CHUNK]
            pieces = self._pieces([words[w][:WORD_CHARACTERS] for w in chunk])
            for w, ids in zip(chunk, pieces, strict=True):
                if len(ids) > room:
                    return kept
                room -= len(ids)
                kept[w] = ids
        return kept

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """The sub-tokens of each word that are read."""
        encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [one.ids[:WORD_LIMIT] for one in encoded]


class OnePostsReader(TextReader):
    """For one post that is read again and again, with other marks each time: it splits a word once."""

    def __init__(self, reader: TextReader, max_subtokens: int) -> None:
        super().__init__(reader.tokenizer, max_subtokens)
        self._known: dict[str, list[int]] = {}

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known |= zip(new, super()._pieces(new), strict=True)
        return [self._known[text] for text in texts]


def _id_of(tokenizer: Tokenizer, name: str) -> int:
    number = tokenizer.token_to_id(name)
    if number is None:
        raise InputError(f"the tokenizer has no {name} entry")
    return int(number)


def _marks_at(pair: Pair | None, word: int, closing: bool) -> list[int]:
    """Indices into MARKS that open before ``word`` or close after the word before it."""
    if pair is None:
        return []
    side = 1 if closing else 0
    return [m for m, span in ((side, pair.head), (side + 2, pair.tail)) if span[side] == word]


def _marked(pair: Pair | None) -> set[int]:
    """The words before which a mark opens, or after which one closes."""
    return {place for s, e in (pair.head, pair.tail) for place in (s, e - 1)} if pair else set()


def _nearest(count: int, pair: Pair | None) -> Sequence[int]:
    """Words in the order in which they are read: from the start, or outwards from the starts of the pair."""
    if pair is None:
        return range(min(count, WORDS_SEEN))
    spans = (pair.head, pair.tail)
    return nsmallest(
        WORDS_SEEN,
        range(count),
        key=lambda w: min((max(s - w, w - e + 1, 0), w - s if s <= w < e else 0) for s, e in spans),
    )
