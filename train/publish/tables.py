"""Cells' metrics as Markdown tables. Every row says what it was measured on, and what marks its figures."""

from collections.abc import Mapping, Sequence

from mmdemo.cells.conditions import NOT_STATED, Conditions
from mmdemo.datasets.discovery import bundled
from mmdemo.measures import Headline, headline_of, shown
from mmdemo.models.config import MODELS
from train.experiments.seeds import SHOWN, mean_and_deviation
from train.publish.markdown import head, marked, percent, row
from train.publish.proof import proof
from train.publish.scored import Scored

#: Test figures with other photos than the posts' own, in the tables' order.
UNLIKE = ("blank", "shuffled", "none")
#: Conditions that a line above a table tells of all its cells; the others stand in its columns.
TOLD = ("Splits", "Posts", "Training posts", "Text cleaning", "Recipe", "torch", "Hardware", "Precision")
HEADLINES: tuple[Headline, ...] = ("field", "report")


def chosen_rows(chosen: Mapping[str, Scored]) -> str:
    """A dataset and preset a line: the chosen cell, what it was scored on, both measures' figures."""
    titles = ["dataset", "chosen on validation", "seed", "commit", "posts, valid", "posts, test"]
    titles += [title for kind in HEADLINES for title in (f"the {kind}'s measure", "valid", "test")]
    lines = head("|".join(titles), numbers_from=4)
    for zoo, cell in chosen.items():
        cells = [zoo, marked(f"{cell.model}, {cell.fusion}", [cell]), cell.seed, cell.commit]
        cells += [cell.count("splits", split, "posts") for split in ("valid", "test")]
        for measure in (headline_of(cell.task, kind) for kind in HEADLINES):
            figures = (cell.figure(split, "photo", measure) for split in ("valid", "test"))
            cells += [measure.column, *map(percent, figures)]
        lines.append(row(cells))
    return "\n".join([*lines, "", _conditions(list(chosen.values()))])


def comparison(chosen: Mapping[str, Scored]) -> str:
    """The chosen cells' test figures beside the report's and published ones, of datasets that have any."""
    known = {cell.dataset for cell in chosen.values()}
    datasets = [name for name, dataset in bundled().items() if name in known or dataset.published]
    lines = head("|".join(["", *datasets]), numbers_from=1)
    for kind in HEADLINES:
        measures = dict.fromkeys(headline_of(task, kind).column for task in ("entities", "relations"))
        lines.append(row([f"**{', '.join(measures)}**", *("" for _ in datasets)]))
        for name, figures in {**_ours(chosen, kind), **_published(MEASURED[kind])}.items():
            lines.append(row([name, *(f"{figures[d]:.2f}" if d in figures else "-" for d in datasets)]))
    note = "Theirs are the original photos and far larger models."
    marks = [f"{zoo}: {'; '.join(cell.marks)}" for zoo, cell in chosen.items() if cell.marks]
    note += f" Marks of this zoo's: {', '.join(marks)}." if marks else ""
    return "\n".join(["## Beside the report and the literature", "", note, "", *lines])


def _ours(chosen: Mapping[str, Scored], kind: Headline) -> dict[str, dict[str, float]]:
    """Preset, in words -> dataset -> its chosen cell's figure on test."""
    found: dict[str, dict[str, float]] = {}
    for cell in chosen.values():
        name = "this zoo's chosen cell" + ("" if cell.preset == "lite" else f", {cell.preset}")
        measure = headline_of(cell.task, kind)
        found.setdefault(name, {})[cell.dataset] = 100 * cell.figure("test", "photo", measure)
    return found


#: What a headline is called among the published figures of a dataset's record.
MEASURED: dict[Headline, str] = {"field": "f1", "report": "accuracy"}


def _published(measure: str) -> dict[str, dict[str, float]]:
    """System -> dataset -> what its paper reports, from the datasets' records."""
    found: dict[str, dict[str, float]] = {}
    for dataset in bundled().values():
        for one in dataset.published:
            if one.measure == measure:
                name = f"{one.system} ({one.note})" if one.note else one.system
                found.setdefault(name, {})[dataset.name] = one.figure
    return found


def zoo_section(zoo: str, cells: Sequence[Scored], chosen: Scored) -> str:
    """All cells of a dataset, then what their photos, fusions and seeds change."""
    first, *others = shown("table", cells[0].task)
    titles = ["model", "fusion", "seed", "commit", "posts", "valid", f"test {first.column}"]
    titles += [*(measure.column for measure in others), *UNLIKE]
    lines = [f"## {zoo}", "", f"All {len(cells)} cells, the chosen one in bold. {_conditions(cells)}", ""]
    lines += head("|".join(titles), numbers_from=2)
    for cell in cells:
        figures = [cell.figure("valid", "photo", first)]
        figures += [cell.figure("test", "photo", measure) for measure in (first, *others)]
        unlike = (c if c in cell.metrics["splits"]["test"] else None for c in UNLIKE)  # not without photos
        others_photo = [percent(cell.figure("test", c, first)) if c else "-" for c in unlike]
        name = f"**{cell.fusion}**" if cell is chosen else cell.fusion
        posts = cell.count("splits", "test", "posts")
        origin = [cell.model, marked(name, [cell]), cell.seed, cell.commit, posts]
        lines.append(row([*origin, *map(percent, figures), *others_photo]))
    return "\n".join(
        [*lines, *_calibration(cells), *_effects(cells), *proof(cells), *_spread(cells), *_seeds(cells)]
    )


def _conditions(cells: Sequence[Scored]) -> str:
    """What the figures were measured under, and what the cells' files do not state."""
    facts = [Conditions.of(cell.metrics).facts for cell in cells]
    stated = {"photos": {str(cell.metrics.get("data", NOT_STATED)) for cell in cells}}
    stated |= {name.lower(): {fact[name] for fact in facts} for name in TOLD}
    known = {name: found for name, found in stated.items() if found != {NOT_STATED}}
    told = [f"{name}: {', '.join(sorted(found))}" for name, found in known.items()]
    if unknown := [name for name in stated if name not in known]:
        told.append(f"{NOT_STATED}: {', '.join(unknown)}")
    return f"Preset {', '.join(sorted({cell.preset for cell in cells}))}; {'; '.join(told)}."


def _calibration(cells: Sequence[Scored]) -> list[str]:
    stated = [cell.metrics["calibration"] for cell in cells if "calibration" in cell.metrics]
    # A cell of both tasks states one a task; it is judged by the first.
    errors = [found if "before" in found else next(iter(found.values())) for found in stated]
    if not errors:
        return []
    before, after = (sum(e[when]["ece"] for e in errors) / len(errors) for when in ("before", "after"))
    text = f"Calibration error (ECE, test, mean): {before:.3f} before, {after:.3f} after"
    told = ["", f"{marked(text, [c for c in cells if 'calibration' in c.metrics])}."]
    return told + _triples([cell for cell in cells if "triples" in cell.metrics])


def _triples(cells: Sequence[Scored]) -> list[str]:
    """The error of a relation's probability together with its two entities."""
    if not cells:
        return []
    stated = [cell.metrics["triples"] for cell in cells]
    before, after = (sum(one[when]["ece"] for one in stated) / len(stated) for when in ("before", "after"))
    by = ", ".join(sorted({one["entities_by"] for one in stated}))
    text = (
        f"Of relations together with both entities ({by}; {len(cells)} of the cells): {before:.3f} as the "
        f"product of the three scores, {after:.3f} calibrated on validation"
    )
    return ["", f"{marked(text, cells)}."]


def _effects(cells: Sequence[Scored]) -> list[str]:
    """How many cells' photos changed F1 beyond chance and in which direction, by kind of model."""
    lines = []
    for kind in dict.fromkeys(arrangement.kind for arrangement in MODELS.values()):
        found = [c for c in cells if "photo_effect" in c.metrics and MODELS[c.model].kind == kind]
        if not found:
            continue
        against = [cell.metrics["photo_effect"]["against"]["none"] for cell in found]
        up, down = (sum(f(a) for a in against) for f in (lambda a: a["low"] > 0, lambda a: a["high"] < 0))
        changes = [100 * a["change"] for a in against]
        lines.append(
            f"- {kind}: of {len(found)} cells {up} gain and {down} lose beyond a 95 % interval; the "
            + marked(f"differences are {min(changes):+.2f} to {max(changes):+.2f} points", found)
            + "."
        )
    told = ["", "Photo against no photo, paired bootstrap over the test posts, by kind of model:", ""]
    return [*told, *lines] if lines else []


def _spread(cells: Sequence[Scored]) -> list[str]:
    """How far the fusions of one model lie apart: they share a trunk, a seed and the posts."""
    first = headline_of(cells[0].task)
    lines = []
    for model in dict.fromkeys(cell.model for cell in cells):
        own = [cell for cell in cells if cell.model == model]
        found = [cell.figure("test", "photo", first) for cell in own]
        ends = min(found), max(found), max(found) - min(found)
        lines.append(row([marked(model, own), str(len(found)), *map(percent, ends)]))
    titles = head(f"model|fusions|lowest test {first.column}|highest|apart", numbers_from=1)
    return ["", *titles, *lines]


def _seeds(cells: Sequence[Scored]) -> list[str]:
    """Mean and standard deviation of the cells that were trained from several seeds."""
    lines = []
    for cell in (c for c in cells if c.metrics.get("seeds")):
        runs = cell.metrics["seeds"]
        figures = []
        for split, condition in SHOWN:
            values = [run[split][condition] for run in runs if condition in run[split]]
            mean, deviation = mean_and_deviation(values) if values else (0.0, 0.0)
            figures.append(f"{100 * mean:.2f} ± {100 * deviation:.2f}" if values else "-")
        lines.append(row([cell.model, marked(cell.fusion, [cell]), str(len(runs)), *figures]))
    titles = head("model|fusion|seeds|valid|test|blank|shuffled|none", numbers_from=2)
    return ["", *titles, *lines] if lines else []
