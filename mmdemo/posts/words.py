"""A text as a person pasted it, parted into words that know their place in it."""

import html
import re
import unicodedata
from dataclasses import dataclass

from mmdemo.datasets.schema import WordRules
from mmdemo.types import Post, Span

#: How web services write signs that markup uses: Twitter's API gives "&amp;" for "&".
_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|apos|#0*(?:34|38|39|60|62)|#[xX]0*(?:22|26|27|3[cCeE]));")

_WORD = re.compile(
    r"https?://\S+|www\.\S+"
    rf"|{_ESCAPED.pattern}"
    # Flags: two letters of their own, or a black flag and the tags of a region.
    r"|[\U0001f1e6-\U0001f1ff]{2}|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
    r"|[@#]?[^\W_][\w]*(?:[-/][^\W_]+|(?<=\d)[.,:](?=\d)\d+)*|@\w+|_+"
    r"|\.\.\.|[^\w\s]\ufe0f?(?:\u200d[^\w\s]\ufe0f?)*"
)


@dataclass(frozen=True, kw_only=True)
class Words:
    """``tokens`` and, for each, its half-open place in the text's characters."""

    tokens: tuple[str, ...]
    offsets: tuple[Span, ...]


@dataclass(kw_only=True)
class _Piece:
    text: str
    start: int
    end: int


def split_words(text: str, rules: WordRules) -> Words:
    """Split raw text into words the way a dataset's authors did, as its models expect.

    @names and URLs stay whole. ``#`` stays on its hashtag or is a word of its own, and English clitics
    ("'s", "n't") are words of their own or part at the apostrophe, as the rules say. Control characters
    that are no words vanish with the white space. A flag is one word. A token may differ from the text at its
    place: "do n't" of "don ' t" spans the blanks too, and "&amp;" is "&".
    """
    words: list[_Piece] = []
    for piece in _pieces(text):
        if rules.split_hashtags and piece.text.startswith("#") and len(piece.text) > 1:
            words.append(_Piece(text="#", start=piece.start, end=piece.start + 1))
            words.append(_Piece(text=piece.text[1:], start=piece.start + 1, end=piece.end))
        elif rules.split_clitics and _is_clitic(words, piece):
            words[-1].text += piece.text
            words[-1].end = piece.end
            _join_negation(words)
        else:
            words.append(piece)
    return Words(
        tokens=tuple(word.text for word in words), offsets=tuple((word.start, word.end) for word in words)
    )


def locate(text: str, tokens: tuple[str, ...]) -> tuple[Span | None, ...]:
    """Each token's half-open place in the text, looked for from left to right; None where it is not there.

    For posts whose words a file states. A token that is missing does not hide those behind it.
    """
    places: list[Span | None] = []
    at = 0
    for token in tokens:
        found = text.find(token, at) if token else -1
        places.append(None if found < 0 else (found, found + len(token)))
        at = at if found < 0 else found + len(token)
    return tuple(places)


def offsets_of(post: Post) -> tuple[Span | None, ...]:
    """The place of each of a post's words in its text; None for a word that does not stand there."""
    return post.offsets or locate(post.text, post.tokens)


def _pieces(text: str) -> list[_Piece]:
    """Matches of `_WORD`; a combining mark (an accent, a vowel sign, a skin tone) stays in its word."""
    pieces: list[_Piece] = []
    after_mark = False
    for match in _WORD.finditer(text):
        word, touches = match[0], bool(pieces) and match.start() == pieces[-1].end
        is_mark = unicodedata.category(word[0])[0] == "M" or word[0] in _SKIN_TONES
        if touches and (is_mark or (after_mark and word[0].isalnum())):
            pieces[-1].text += word
            pieces[-1].end = match.end()
        elif not _is_invisible(word):
            sign = html.unescape(word) if _ESCAPED.fullmatch(word) else word
            pieces.append(_Piece(text=sign, start=match.start(), end=match.end()))
        else:
            continue
        after_mark = touches and is_mark
    return pieces


_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def _is_invisible(piece: str) -> bool:
    """Control and format characters and variation selectors: nothing that a person could mark."""
    return all(unicodedata.category(c) in ("Cc", "Cf") or "\ufe00" <= c <= "\ufe0f" for c in piece)


_CLITIC_ENDS = frozenset(("s", "t", "m", "re", "ve", "ll", "d"))


def _is_clitic(words: list[_Piece], piece: _Piece) -> bool:
    return bool(words) and words[-1].text in ("'", "’") and piece.text.lower() in _CLITIC_ENDS


def _join_negation(words: list[_Piece]) -> None:
    """Move the n of "don 't" over, in place: "do n't", as treebanks part it."""
    if len(words) < 2 or words[-1].text.lower() not in ("'t", "’t"):
        return
    before, last = words[-2], words[-1]
    if before.text[-1:] in ("n", "N") and len(before.text) > 1:
        last.text, last.start = before.text[-1] + last.text, before.end - 1
        before.text, before.end = before.text[:-1], before.end - 1
