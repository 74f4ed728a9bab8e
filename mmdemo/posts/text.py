"""From what a person typed to sub-token ids, keeping every word's place.

Three steps, each usable alone: `split_words` / `read_marks` (text to words), `mmdemo.posts.cleaning`
(SPEC §2's), `TextReader.read` (words to sub-tokens with word ids). A word that gives no
sub-token (an invisible character, a dropped URL, one beyond the limit) keeps its index and has
``first == -1``: tags can never shift.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path

from tokenizers import Tokenizer

from mmdemo.models.config import DATASETS
from mmdemo.posts.cleaning import WORD_CHARACTERS
from mmdemo.types import InputError, Pair

MARKS = ("[E1]", "[/E1]", "[E2]", "[/E2]")

#: Row of the encoder's feature embedding for each sub-token: letter case of its word, or a mark.
FEATURES = ("none", "lower", "upper", "title", "mixed", *MARKS)

#: Start, end and mask of a vocabulary, and the entries that stand for `MARKS`: ones that no text gives.
#: BERT's and its kind's first, then RoBERTa's, whose bytes cover every text: ``<unk>`` never comes from one.
SPECIALS = (
    ("[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]", "[unused2]", "[unused3]"),
    ("<s>", "</s>", "<mask>", "madeupword0000", "madeupword0001", "madeupword0002", "<unk>"),
)

#: Sub-tokens of one word that are read, so that a long URL cannot crowd out a tweet. No word of the three
#: datasets has more than 26.
WORD_LIMIT = 32

#: Words that are looked at, those to be read first: more than this many that give no sub-token are no tweet.
WORDS_SEEN = 4096

#: Words that are split into sub-tokens at a time, until those that a model reads are found.
CHUNK = 256

_WORD = re.compile(
    r"https?://\S+|www\.\S+"
    r"|[@#]?[^\W_][\w]*(?:[-/][^\W_]+|(?<=\d)[.,:](?=\d)\d+)*|@\w+|_+"
    r"|\.\.\.|[^\w\s]\ufe0f?(?:\u200d[^\w\s]\ufe0f?)*"
)
_MARK = re.compile(r"\[/?E[12]\]")


def split_words(text: str, dataset: str) -> list[str]:
    """Split raw text into words the way the dataset's authors did, as its models expect.

    All three keep @names and URLs whole. Twitter2017 and MNRE split ``#`` off its hashtag, Twitter2015
    keeps it (data/README); MNRE keeps English clitics ("'s", "n't") as words of their own, the Twitter
    sets split the apostrophe off. Control characters that are no words vanish with the white space.
    """
    rules = DATASETS[dataset]
    words: list[str] = []
    for word in _pieces(text):
        if rules.split_hashtags and word.startswith("#") and len(word) > 1:
            words += ["#", word[1:]]
        elif rules.split_clitics and words and words[-1] in "'’" and word.lower() in _CLITIC_ENDS:
            words[-1] += word
            _join_negation(words)
        else:
            words.append(word)
    return words


def _pieces(text: str) -> list[str]:
    """Matches of `_WORD`; a combining mark (an accent, a vowel sign, a skin tone) stays in its word."""
    pieces: list[str] = []
    end, after_mark = 0, False
    for match in _WORD.finditer(text):
        piece, touches = match[0], bool(pieces) and match.start() == end
        is_mark = unicodedata.category(piece[0])[0] == "M" or piece[0] in _SKIN_TONES
        if touches and (is_mark or (after_mark and piece[0].isalnum())):
            pieces[-1] += piece
        elif not _is_invisible(piece):
            pieces.append(piece)
        else:
            continue
        end, after_mark = match.end(), touches and is_mark
    return pieces


_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def _is_invisible(piece: str) -> bool:
    """Control and format characters and variation selectors: nothing that a person could mark."""
    return all(unicodedata.category(c) in ("Cc", "Cf") or "\ufe00" <= c <= "\ufe0f" for c in piece)


_CLITIC_ENDS = frozenset(("s", "t", "m", "re", "ve", "ll", "d"))


def _join_negation(words: list[str]) -> None:
    """Move the n of "don 't" over, in place: MNRE writes "do n't"."""
    if words[-1].lower() in ("'t", "’t") and len(words) > 1 and words[-2][-1:] in "nN" and len(words[-2]) > 1:
        words[-2], words[-1] = words[-2][:-1], words[-2][-1] + words[-1]


def read_marks(text: str, dataset: str) -> tuple[list[str], Pair]:
    """Words and pair of a text with ``[E1]…[/E1]`` and ``[E2]…[/E2]``, in either order.

    Raises:
        InputError: a mark is missing, doubled, unbalanced, crosses another, or holds no word.
    """
    words: list[str] = []
    places: dict[str, int] = {}
    opened: list[str] = []
    for piece in re.split(r"(\[/?E[12]\])", text):
        if piece not in MARKS:
            words += split_words(piece, dataset)
            continue
        if piece in places:
            raise InputError(
                f"{piece} stands twice; mark exactly one head [E1]…[/E1] and one tail [E2]…[/E2]"
            )
        places[piece] = len(words)
        if "/" not in piece:
            if opened:
                raise InputError(
                    f"{piece} opens inside {opened[-1]}; close one mark before opening the other"
                )
            opened.append(piece)
        elif not opened or opened.pop() != piece.replace("/", ""):
            raise InputError(f"{piece} closes a mark that is not open")
    if missing := [mark for mark in MARKS if mark not in places]:
        raise InputError(
            f"{', '.join(missing)} missing: mark the head as [E1]…[/E1] and the tail as [E2]…[/E2]"
        )
    head, tail = (places["[E1]"], places["[/E1]"]), (places["[E2]"], places["[/E2]"])
    for name, (start, end) in (("[E1]", head), ("[E2]", tail)):
        if start == end:
            raise InputError(
                f"{name} marks no word; put at least one word between {name} and its closing mark"
            )
    return words, Pair(head=head, tail=tail)


def has_marks(text: str) -> bool:
    """Whether the text holds any of the four marks."""
    return bool(_MARK.search(text))


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
        bert, roberta = SPECIALS
        names = roberta if tokenizer.token_to_id(roberta[0]) is not None else bert
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
            texts = [words[w][:WORD_CHARACTERS] for w in chunk]
            encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
            for w, pieces in zip(chunk, encoded, strict=True):
                ids = pieces.ids[:WORD_LIMIT]
                if len(ids) > room:
                    return kept
                room -= len(ids)
                kept[w] = ids
        return kept


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
