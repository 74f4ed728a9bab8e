"""Python's literals are read as `ast.literal_eval` reads them, or refused; and never slowly."""

import ast
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdemo.formats.mnre import FORMAT, MAX_LINE
from mmdemo.formats.text.literals import DEPTH, read_literal
from mmdemo.types import InputError

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
KEYS = st.text(max_size=4) | st.integers() | st.none()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=12,
)
#: Pieces of which literals, and what is none, are made.
PIECES = st.lists(
    st.sampled_from(
        [
            "1",
            "-",
            "0",
            "00",
            "01",
            "1.5",
            ".5",
            "1e3",
            "1_0",
            "None",
            "True",
            "x",
            "'a'",
            '"b"',
            "'\\n'",
            "b'a'",
        ]
        + [
            "'\\o/'",
            "'",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            ",",
            ":",
            " ",
            "\n",
            "<",
            "+",
            "#",
            "\\",
            "é",
            "\0",
            "\f",
        ]
    ),
    max_size=9,
).map("".join)


def by_python(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.literal_eval(text.strip())


def by_us(text: str) -> object:
    """Warnings are errors: a stranger's escapes may not make any."""
    return read_literal(text)


@given(VALUES)
@settings(max_examples=300)
def test_what_python_writes_is_read_back(value: object) -> None:
    for text in (repr(value), ascii(value)):
        assert read_literal(text) == value and repr(read_literal(text)) == repr(by_python(text))


@pytest.mark.parametrize(
    "text",
    [
        r"{'a': '\ud83d\ude00'}",  # which JSON would join to one character
        r"""{'a': "it's", "b": 'say "so"', 'c': '\'', 'd': 'a\\'}""",
        "{'a': [1, -2.50, 0.0, -0]}",
        r"{'a': '\xe9\u2116\U0001f600\n\0'}",
        "{'a': 1, 'a': 2}",
        "[007.5]",
    ],
)
def test_what_is_nearly_json_is_read_as_python_reads_it(text: str) -> None:
    assert repr(by_us(text)) == repr(by_python(text))


@given(PIECES)
@settings(max_examples=2000)
def test_what_is_read_is_what_python_reads(text: str) -> None:
    try:
        value = by_us(text)
    except ValueError:
        return
    assert repr(value) == repr(by_python(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[1",
        "[,]",
        "[1 2]",
        "{1}",
        "{1:}",
        "{'a' 1}",
        "1 2",
        "()1",
        "]",
        "{[1]: 2}",
        "1 <1",
        "a",
        "f()",
    ]
    + ["01", "'a", "'a\n'", "(,)", "1+1", "-", "[" * (DEPTH + 1) + "]" * (DEPTH + 1), "'\\x'", "'\\N{no}'"]
    + ["'\\u12'", "'\\U00110000'", "'\\N'", "'\\N{LATIN SMALL LETTER A WITH MACRON AND GRAVE}'"],
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        by_us(text)


@given(st.text("\\xuUN0178{}abnrt", max_size=12), st.sampled_from("'\""))
@settings(max_examples=500)
def test_escapes_are_those_of_python(text: str, quote: str) -> None:
    literal = quote + text + quote
    try:
        value = by_us(literal)
    except ValueError:
        with pytest.raises((SyntaxError, ValueError)):
            by_python(literal)
    else:
        assert value == by_python(literal)


@pytest.mark.parametrize(
    "text", ["(1)", "(1,)", "()", "[1,]", "{'a': 1,}", "( ( 1 , ) )", "{}", " 1 ", "-1", "+1"]
)
def test_odd_but_right_ones_are_read(text: str) -> None:
    assert repr(by_us(text)) == repr(by_python(text))


@pytest.mark.parametrize(
    "line", ["1 <1 <1 " * 10**6, "[" * 10**6, "{'a':" * 10**5, "1 <1 <1 " * 10**5, "(" * 9 + "-" * 10**5]
)
def test_a_hostile_line_costs_no_second(tmp_path: Path, line: str) -> None:
    """8 MB of the first held every thread for 12 s."""
    path = tmp_path / "mnre_train.txt"
    path.write_text(line)
    started = time.process_time()
    with pytest.raises(InputError, match="line 1 (is not a row in braces|has .* characters; at most)"):
        FORMAT.read(path, None)
    assert time.process_time() - started < 1


def test_a_line_that_is_too_long_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mnre_train.txt"
    path.write_text("\n" + "[" * (MAX_LINE + 1))
    with pytest.raises(InputError, match=f"line 2 has {MAX_LINE + 1:,} characters; at most {MAX_LINE:,}"):
        FORMAT.read(path, None)


def test_real_rows_are_read_as_python_reads_them(shared_data: Path) -> None:
    seen = 0
    for path in sorted((shared_data / "mnre").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").split("\n")[:2000]:
            if line.strip():
                assert by_us(line) == by_python(line)
                seen += 1
    assert seen > 3000
