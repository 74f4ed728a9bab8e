"""What the benches print, from figures given by hand."""

import re
from collections import Counter

from tests.bench.load import Client, summary
from tests.bench.table import BENCH, HEAD, PAGE, Row, markdown, timed


def test_ratios_are_to_the_first_row_and_other_figures_stay_empty():
    rows = [Row(name="one", p50=50, p95=61.7), Row(name="six", p50=125), Row(name="memory", note="9 MB")]
    lines = markdown(rows).splitlines()
    assert lines[-3:] == [
        "| one | 50 | 62 | 1.00 |  |",
        "| six | 125 |  | 2.50 |  |",
        "| memory |  |  |  | 9 MB |",
    ]


def test_the_shipped_page_has_the_marks_and_a_table_of_today_s_columns():
    text = PAGE.read_text(encoding="utf-8")
    assert (text.count(BENCH.start), text.count(BENCH.end)) == (1, 1)
    table = text.split(BENCH.start)[1].split(BENCH.end)[0].strip().splitlines()
    written = markdown([Row(name="one", p50=50, p95=61.7)]).splitlines()
    assert re.sub(r"[\d.]+", "", table[0]).split("+")[0] == re.sub(r"[\d.]+", "", written[0]).split("+")[0]
    assert table[1:4] == written[1:4] and len(table) > 10
    assert {row.count("|") for row in table[2:]} == {HEAD[0].count("|")}


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
