"""Python's literals, read strictly: dicts, lists, tuples, texts, numbers, None, True and False.

`ast.literal_eval` compiles what it is given first: 8 MB of ``1 <1 <1`` held every thread for 12 s and took
3 GB. Here each step takes one token, in Python, so that other threads go on; a line that is JSON but for its
quotes is made JSON first, which takes half of the time.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from json import loads
from json.encoder import encode_basestring
from typing import Any
from unicodedata import lookup

#: Brackets within brackets; a row of MNRE has three.
DEPTH = 16

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<number>[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)(?![\w.])
    |(?P<name>None|True|False)(?!\w)
    |(?P<sign>[][(){},:])
    )""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(
    r"""\\(?:
    (?P<hex>x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|(?P<octal>[0-7]{1,3})|(?P<name>N\{[^{}]+\})|(?P<one>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = {"\\": "\\", "'": "'", '"': '"', **dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))}
_NAMES = {"None": None, "True": True, "False": False}

#: What differs from JSON in its quotes alone: texts, plain numbers, brackets. The search takes no step back.
_NEAR_JSON = re.compile(
    r"""(?:[\s{}\[\],:]++|-?\d++(?:\.\d++)?+|'(?:[^'\\\n]|\\.)*+'|"(?:[^"\\\n]|\\.)*+")*+""", re.ASCII
)
_QUOTED = re.compile(r"""'(?:[^'\\\n]|\\.)*+'|"(?:[^"\\\n]|\\.)*+\"""")


def read_literal(text: str) -> Any:
    """The value of a literal as `repr` writes it; what `ast.literal_eval` would give, or ValueError."""
    if text.count("[") + text.count("{") <= DEPTH and _NEAR_JSON.fullmatch(text):
        with suppress(ValueError):  # as for a comma after the last item: a literal still, or told as none
            return loads(_QUOTED.sub(lambda quoted: encode_basestring(_text(quoted[0])), text))
    return _Reader(text).whole()


class _Reader:
    """Walks over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._kind, self._token = "", ""
        self._depth = 0
        self._step()

    def _step(self) -> None:
        """Go to the next token; at the end its kind is "end"."""
        found = _TOKEN.match(self._text, self._at)
        if found and found.lastgroup:
            self._kind, self._token, self._at = found.lastgroup, found[found.lastgroup], found.end()
        elif self._text[self._at :].strip(" \t\n\r\f"):
            raise ValueError("not a literal")
        else:
            self._kind, self._token = "end", ""

    def _take(self, sign: str) -> bool:
        if self._kind != "sign" or self._token != sign:
            return False
        self._step()
        return True

    def whole(self) -> Any:
        value = self._value()
        if self._kind != "end":
            raise ValueError("more than one literal")
        return value

    def _value(self) -> Any:
        kind, token = self._kind, self._token
        if kind == "sign":
            return self._container(token)
        if kind == "end":
            raise ValueError("a value is missing")
        self._step()
        if kind == "name":
            return _NAMES[token]
        return _text(token) if kind == "text" else _number(token)

    def _container(self, sign: str) -> Any:
        if sign not in "[({" or self._depth >= DEPTH:
            raise ValueError("a closing bracket too many, or too many open ones")
        self._depth += 1
        self._step()
        if sign == "{":
            pairs, _ = self._items("}", self._pair)
            try:
                value: Any = dict(pairs)
            except TypeError as error:  # a list for a key
                raise ValueError("a key that can name nothing") from error
        else:
            items, comma = self._items("]" if sign == "[" else ")", self._value)
            one = sign == "(" and len(items) == 1 and not comma  # a value in brackets is no tuple
            value = items if sign == "[" else items[0] if one else tuple(items)
        self._depth -= 1
        return value

    def _items(self, end: str, read: Callable[[], Any]) -> tuple[list[Any], bool]:
        """What stands between commas until ``end``, and whether a comma was the last before it."""
        items: list[Any] = []
        comma = True
        while not self._take(end):
            if not comma:
                raise ValueError("a comma is missing")
            items.append(read())
            comma = self._take(",")
        return items, comma and bool(items)

    def _pair(self) -> tuple[Any, Any]:
        key = self._value()
        if not self._take(":"):
            raise ValueError("a colon is missing")
        return key, self._value()


def _text(token: str) -> str:
    """A quoted text. Its escapes are told here: Python's own compiler takes 20 times as long, and warns."""
    return _ESCAPE.sub(_escaped, token[1:-1]) if "\\" in token else token[1:-1]


def _escaped(found: re.Match[str]) -> str:
    """What an escape stands for; one that Python does not know stands for itself."""
    kind, value = found.lastgroup, found[0]
    if kind == "hex":
        return chr(int(value[2:], 16))  # ValueError beyond the last character
    if kind == "octal":
        return chr(int(value[1:], 8))
    if kind == "name":
        try:
            named = lookup(value[3:-1])
        except KeyError as error:
            raise ValueError("no character is called so") from error
        if len(named) > 1:
            raise ValueError("a name of several characters")
        return named
    if value[1] in "xuUN":
        raise ValueError("an escape that breaks off")
    return _PLAIN.get(value[1], value)


def _number(token: str) -> int | float:
    digits = token.lstrip("+-")
    if not digits.isdigit():
        return float(token)
    if len(digits) > 1 and digits[0] == "0" and digits.strip("0"):
        raise ValueError("a whole number begins with 0")
    return int(token)
