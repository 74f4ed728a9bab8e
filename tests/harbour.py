"""A made-up dataset as a stranger has one: one file of posts, three kinds of entity, two of relation, photos.

``python -m tests.harbour FOLDER`` writes it; ``tests/own_dataset.sh`` walks it from end to end.
"""

import json
import random
import sys
from pathlib import Path

from PIL import Image

SHIPS = ("Aurora", "Sea Wolf", "Petrel", "Old Tom")
PORTS = ("Bergen", "Key Largo", "Porto", "Cork")
SAILORS = ("Ann Lee", "Kofi", "Maria Silva", "Jon")


def write_harbour(folder: Path, posts: int = 60) -> Path:
    """``posts.jsonl`` and ``photos/``: two posts in three state a relation, one in six has no photo."""
    chosen = random.Random(11)
    (folder / "photos").mkdir(parents=True)
    with (folder / "posts.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(posts):
            line = _line(number, chosen)
            if number % 6:
                line["image"] = f"photos/{line['id']}.png"
                colour = tuple(chosen.randrange(256) for _ in range(3))
                Image.new("RGB", (24, 16), colour).save(folder / line["image"])
            stream.write(json.dumps(line) + "\n")
    return folder


def _line(number: int, chosen: random.Random) -> dict[str, object]:
    ship, port, sailor = (chosen.choice(names).split() for names in (SHIPS, PORTS, SAILORS))
    first, verb, second, label = [
        (("ship", ship), "docks in", ("port", port), "docks-in"),
        (("sailor", sailor), "serves on", ("ship", ship), "serves-on"),
        (("ship", ship), "is far from", ("port", port), None),
    ][number % 3]
    words = [*first[1], *verb.split(), *second[1], "on", "day", str(number)]
    head = (0, len(first[1]))
    tail = (head[1] + len(verb.split()), head[1] + len(verb.split()) + len(second[1]))
    spans = ((head, first[0]), (tail, second[0]))
    return {
        "id": f"p{number}",
        "tokens": words,
        "entities": [{"start": start, "end": end, "label": kind} for (start, end), kind in spans],
        "relations": [{"head": head, "tail": tail, "label": label}] if label else [],
    }


if __name__ == "__main__":
    print(write_harbour(Path(sys.argv[1])))
