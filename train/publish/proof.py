"""Whether photos help, as Markdown: rows that read what photos say, each condition with its interval.

``metrics.json`` has "photo_effect" and "row_effect" (`python -m train photo_effect`); a cell without them, or
one that reads no words, has no line here.
"""

from collections.abc import Sequence
from typing import Any

from mmdemo.measures import headline_of
from train.publish.markdown import head, marked, percent, row
from train.publish.scored import Scored

#: What a post's own photo is held against, and the columns' titles.
AGAINST = {
    "shuffled": "own − another's",
    "blank": "own − grey pixels",
    "picture": "own − no words",
    "none": "own − nothing",
}


def proof(cells: Sequence[Scored]) -> list[str]:
    """Lines for the cells that read words, by model; nothing where there are none."""
    found = [cell for cell in cells if "picture" in _against(cell)]
    lines: list[str] = []
    for model in dict.fromkeys(cell.model for cell in found):
        lines += _model(model, [cell for cell in found if cell.model == model])
    return lines


def _model(model: str, cells: Sequence[Scored]) -> list[str]:
    measure = headline_of(cells[0].task)
    titles = ["fusion", f"test {measure.column}", *AGAINST.values(), "own − text-only training", "p (Holm)"]
    titles += ["answers changed", "to right", "to wrong"]
    lines = [
        "",
        f"### {model}: does the photo help?",
        "",
        "In points, with the 95 % interval of a paired bootstrap over the test posts; **bold** where it "
        "leaves zero out. Another's photo brings its words along (one draw). The last three columns count "
        "the test questions answered otherwise than without photo and words.",
        "",
        *head("|".join(titles), numbers_from=1),
    ]
    for cell in cells:
        against = _against(cell)
        alone = _row_effect(cell).get("against_text_only")
        columns = [_interval(against.get(name)) for name in AGAINST]
        columns += [_interval(alone), f"{alone['p_holm']:.3f}" if alone else "-"]
        none = against.get("none", {})
        columns += [str(none.get(key, "-")) for key in ("changed", "to_right", "to_wrong")]
        figure = percent(cell.figure("test", "photo", measure))
        lines.append(row([marked(cell.fusion, [cell]), figure, *columns]))
    return [*lines, *_disagreement(cells), *_by_kind(cells)]


def _by_kind(cells: Sequence[Scored]) -> list[str]:
    """What the photo changes by kind of post, of the fusion that validation prefers of these."""
    measure = headline_of(cells[0].task)
    told = [cell for cell in cells if any("shuffled" in found for found in _kinds(cell))]
    if not told:
        return []
    best = max(told, key=lambda cell: cell.figure("valid", "photo", measure))
    titles = ["kind of test post", "posts", f"test {measure.column}", "own − another's", "own − nothing"]
    lines = ["", f"By kind of post, {best.fusion} (kinds overlap):", ""]
    lines += head("|".join(titles), numbers_from=1)
    for found in _kinds(best):
        figures = [str(found["posts"]), percent(found["f1"])]
        lines.append(row([found["name"], *figures, _interval(found.get("shuffled")), _interval(found)]))
    return lines


def _kinds(cell: Scored) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cell.metrics.get("photo_effect", {}).get("slices", [])
    return found


def _disagreement(cells: Sequence[Scored]) -> list[str]:
    """Between which bounds lie the shares of test questions that two fusions answer differently."""
    pairs = {
        frozenset((cell.fusion, other)): share
        for cell in cells
        for other, share in _row_effect(cell).get("differs", {}).items()
    }
    if not pairs:
        return []
    least, most = min(pairs, key=lambda p: pairs[p]), max(pairs, key=lambda p: pairs[p])
    told = [f"{percent(pairs[pair])} % ({' and '.join(sorted(pair))})" for pair in (least, most)]
    return ["", f"Two cells of this row answer {told[0]} to {told[1]} of the test questions differently."]


def _against(cell: Scored) -> dict[str, Any]:
    found: dict[str, Any] = cell.metrics.get("photo_effect", {}).get("against", {})
    return found


def _row_effect(cell: Scored) -> dict[str, Any]:
    found: dict[str, Any] = cell.metrics.get("row_effect", {})
    return found


def _interval(found: dict[str, float] | None) -> str:
    if not found:
        return "-"
    change, low, high = (100 * found[name] for name in ("change", "low", "high"))
    text = f"{change:+.2f} ({low:+.2f} … {high:+.2f})"
    return f"**{text}**" if low > 0 or high < 0 else text
