"""What loading costs: ``python -m tests.bench.load_cell [--json]``.

In one warm process: each ready cell loaded cold (its trunk and encoders too, nothing shared with another),
and again when it is loaded already. The issue's bounds: 1 s cold, 5 ms to switch.
"""

import argparse
import json
import os
import statistics
import time

from mmdemo.cells.locate import SHIPPED, pickable_cells
from mmdemo.cells.zoo import Zoo

BOUNDS = {"cold": 1.0, "switch": 0.005}  # seconds


def measure() -> dict[str, list[float]]:
    """Seconds of each cell, cold and loaded already; the first cell of all warms the process up."""
    cells = [cell for cell in pickable_cells(SHIPPED) if cell.problem is None]
    Zoo(SHIPPED).load(cells[0])
    found: dict[str, list[float]] = {kind: [] for kind in BOUNDS}
    for cell in cells:
        zoo = Zoo(SHIPPED)
        for seconds in found.values():
            started = time.perf_counter()
            zoo.load(cell)
            seconds.append(time.perf_counter() - started)
    return found


def main() -> None:
    """Print medians and the slowest, and whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    facts = {
        kind: {"median": statistics.median(seconds), "slowest": max(seconds), "bound": BOUNDS[kind]}
        for kind, seconds in measure().items()
    }
    if arguments.json:
        print(json.dumps(facts))
        return
    print(f"load average {os.getloadavg()[0]:.1f}")
    for kind, fact in facts.items():
        verdict = "ok" if fact["slowest"] <= fact["bound"] else "over"
        print(f"{kind}: " + " ".join(f"{k} {1000 * v:.2f} ms" for k, v in fact.items()) + f": {verdict}")


if __name__ == "__main__":
    main()
