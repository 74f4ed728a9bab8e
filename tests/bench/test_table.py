"""What the benches print, from figures given by hand."""

from collections import Counter

import pytest

from tests.bench.load import Client, summary
from tests.bench.table import END, START, Row, markdown, timed, write


def test_ratios_are_to_the_first_row_and_other_figures_stay_empty():
    rows = [Row(name="one", p50=50, p95=61.7), Row(name="six", p50=125), Row(name="memory", note="9 MB")]
    lines = markdown(rows).splitlines()
    assert lines[-3:] == [
        "| one | 50 | 62 | 1.00 |  |",
        "| six | 125 |  | 2.50 |  |",
        "| memory |  |  |  | 9 MB |",
    ]


def test_the_table_replaces_the_one_before_and_nothing_else(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    for table in ("first", r"second \1"):
        write(table, readme)
        assert readme.read_text() == f"before\n{START}\n{table}\n{END}\nafter\n"
    readme.write_text("no place")
    with pytest.raises(ValueError, match="lacks the markers"):
        write("x", readme)


def test_warm_up_turns_do_not_count():
    turns: list[int] = []
    assert timed("x", turns.append, 4).p50 < 50 and turns == list(range(7))


def test_a_load_tells_errors_latency_and_the_least_served_client():
    clients = [
        Client(number=0, taken=[1.0, 3.0]),
        Client(number=1, taken=[2.0], errors=Counter({"HTTP 503": 2})),
    ]
    found = summary(clients, 2.0)
    assert found["errors"] == {"HTTP 503": 2} and found["per_second"] == 1.5
    assert found["latency_s"] == {"p50": 2.0, "p95": 2.9, "max": 3.0}
    assert found["answers_a_client"] == {"min": 1, "max": 2}
    assert summary([Client(number=0)], 1.0)["latency_s"]["p50"] is None
