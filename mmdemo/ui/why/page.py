"""Explanation -> HTML: a figure a view, with its note, its numbers to take along, and what is absent. Pure.

Figures are pictures and tweets are pixels in them; every other text of a tweet passes `safe`.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from mmdemo.figures.draw import draw, png
from mmdemo.figures.numbers import view_csv, view_json
from mmdemo.types import Change, Counterfactual, Entity, Explanation, Prediction, Relation, View
from mmdemo.ui.shell.safe import percent, plain, safe, sentence
from mmdemo.ui.shell.view import relation_name, words_of

ALL_PANELS = "all panels"
FUSION_VIEWS = ("film-shift", "modality", "tokens")
#: Beside the maps over the photo: what of its words was looked at.
PHOTO_VIEWS = (
    "cross-attention-photo-words",
    "joint-attention-photo-words",
    "photo-word-gradient",
    "photo-word-occlusion",
    "photo-and-words",
    "cross-attention-back",
)
#: Section -> which views stand there, in the order of the page.
SECTIONS: dict[str, Callable[[View], bool]] = {
    "fusion": lambda view: (
        view.name not in PHOTO_VIEWS
        and (view.kind in ("heatmap", "distribution") or view.name in FUSION_VIEWS)
    ),
    "photo": lambda view: view.kind == "photo-map" or view.name in PHOTO_VIEWS,
    "words": lambda view: True,
}


def views_of(explanation: Explanation, section: str) -> list[View]:
    """The explanation's views in one section; each view stands in the first section that takes it."""
    chosen = []
    for view in explanation.views:
        home = next(name for name, takes in SECTIONS.items() if takes(view))
        if home == section:
            chosen.append(view)
    return chosen


def panels_of(explanation: Explanation) -> list[str]:
    """Names of heads and layers that a photo map can be narrowed to."""
    maps = [view for view in explanation.views if view.kind == "photo-map" and len(view.values) > 1]
    heads = [name for view in maps for name in view.axes[0] if "head" in name or "layer" in name]
    return [ALL_PANELS, *dict.fromkeys(heads)]


def narrowed(view: View, panel: str) -> View:
    """The view with one panel alone, where it has a panel of that name; else as it is."""
    if view.kind != "photo-map" or panel not in view.axes[0]:
        return view
    at = view.axes[0].index(panel)
    return replace(
        view,
        title=f"{view.title}: {panel}",
        values=np.ascontiguousarray(view.values[at : at + 1]),
        axes=((panel,), *view.axes[1:]),
    )


def section_html(
    explanation: Explanation, section: str, *, dark: bool = False, top: int = 24, panel: str = ALL_PANELS
) -> str:
    """All figures of a section, for a light or dark page."""
    image = explanation.prediction.post.image
    photo = image if isinstance(image, Image.Image) else None
    views = [narrowed(view, panel) for view in views_of(explanation, section)]
    if not views:
        return '<p class="mm-quiet">Nothing to show here for this answer; the reasons stand below.</p>'
    return "".join(figure_html(view, photo, dark=dark, top=top) for view in views)


def figure_html(view: View, photo: Image.Image | None, *, dark: bool, top: int) -> str:
    """One view: its picture, its note, and its numbers as files."""
    below = photo if view.kind == "photo-map" else None
    picture = base64.b64encode(png(draw(view, photo=below, dark=dark, top=top))).decode("ascii")
    numbers = json.dumps(view_json(view), ensure_ascii=False, separators=(",", ":"))
    name = safe(view.name)
    return (
        f'<figure class="mm-figure" data-view="{name}">'
        f'<img src="data:image/png;base64,{picture}" alt="{safe(view.title)}">'
        f"<figcaption><p>{safe(view.note)}</p>"
        f'<p class="mm-files"><a class="mm-png" href="#" download="{name}.png">PNG</a>'
        f'<a href="{_file("text/csv", view_csv(view))}" download="{name}.csv">CSV</a>'
        f'<a href="{_file("application/json", numbers)}" download="{name}.json">JSON</a></p>'
        f"</figcaption></figure>"
    )


def _file(kind: str, text: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode('utf-8')).decode('ascii')}"


def headline_html(explanation: Explanation) -> str:
    """What is explained and whose answer it is."""
    return (
        f'<section class="mm-result" role="status"><h3>Why <em>{safe(explanation.target)}</em>?</h3>'
        f'<p class="mm-quiet">answered by <code>{safe(explanation.prediction.checkpoint)}</code></p>'
        "</section>"
    )


def absent_html(explanation: Explanation) -> str:
    """Views that this answer cannot have, each with the reason; one line for those that share one."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in explanation.absent.items():
        by_reason.setdefault(reason, []).append(name)
    items = "".join(
        f"<li><b>{safe(', '.join(names))}</b>: {safe(reason)}</li>" for reason, names in by_reason.items()
    )
    return f'<div class="mm-absent"><h4>Not shown</h4><ul>{items}</ul></div>' if items else ""


def targets_of(prediction: Prediction, none: str) -> list[tuple[str, int]]:
    """(title, target) of what can be explained: entities then the words read, or the likeliest relations.

    ``none`` is the dataset's label of a pair without a relation.
    """
    if not prediction.ask.entities:
        return [
            (f"{relation_name(r.label, none)} · {_plain(r.score)}", rank)
            for rank, r in enumerate(_first_pair(prediction))
        ]
    found = [
        (f"{e.label} “{plain(words_of(prediction.post, (e.start, e.end)), 40)}” · {_plain(e.score)}", e.start)
        for e in prediction.entities
    ]
    inside = {w for e in prediction.entities for w in range(e.start, e.end)}
    words = [(f"word “{t}”", w) for t, w in words_read(prediction) if w not in inside]
    return [*found, *words]


def _first_pair(prediction: Prediction) -> list[Relation]:
    """The relations of the pair that is explained: the first that was asked for."""
    return [r for r in prediction.relations if r.pair == prediction.relations[0].pair]


def words_read(prediction: Prediction) -> list[tuple[str, int]]:
    """(word, its index) of each word that the model was given; a long one is cut for show."""
    unread = set(prediction.unread)
    return [(plain(t, 40), w) for w, t in enumerate(prediction.post.tokens) if w not in unread]


def surest_target(prediction: Prediction) -> int | None:
    """The target that is explained where nobody chose one: the first relation, the surest entity."""
    if not prediction.ask.entities:
        return 0 if prediction.relations else None
    return max(prediction.entities, key=lambda e: e.score or 0.0).start if prediction.entities else None


def _plain(score: float | None) -> str:
    return "no score" if score is None else f"{score:.1%}"


# --- imagined otherwise ------------------------------------------------------------------------

SIGNS = {"kept": "=", "gained": "+", "lost": "−", "relabelled": "≠", "resized": "↔"}


def counterfactuals_html(cases: Sequence[Counterfactual], none: str) -> str:
    """Each imagined post as a row: what differs from the answer to the real one."""
    if not cases:
        return '<p class="mm-quiet">Nothing was imagined otherwise.</p>'
    rows = "".join(
        f'<tr><th scope="row">{safe(case.name)}</th><td>{_changes_html(case.changes, none)}</td></tr>'
        for case in cases
    )
    return (
        '<div class="mm-scroll"><table class="mm-changes"><thead><tr><th scope="col">The same post …</th>'
        f'<th scope="col">what differs from its answer</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _changes_html(changes: Sequence[Change], none: str) -> str:
    if not changes:
        return '<span class="mm-quiet">nothing found, before or after</span>'
    items = "".join(
        f'<li class="mm-change-{change.kind}"><span class="mm-sign" aria-label="{change.kind}">'
        f"{SIGNS[change.kind]}</span> {_change_html(change, none)}</li>"
        for change in changes
    )
    return f'<ul class="mm-change">{items}</ul>'


def _change_html(change: Change, none: str) -> str:
    before, after = change.before, change.after
    if before is not None and after is not None and change.kind == "kept":
        moved = (after.score or 0.0) - (before.score or 0.0)
        shown = f"{100 * moved:+.1f} points" if abs(moved) >= 0.0005 else "unmoved"
        return f"{_side(after, none)} <span class='mm-quiet'>{percent(after.score)}, {shown}</span>"
    parts = [
        f"{_side(s, none)} <span class='mm-quiet'>{percent(s.score)}</span>" for s in (before, after) if s
    ]
    note = "" if len(parts) > 1 else f" <span class='mm-quiet'>{change.kind}</span>"
    return " → ".join(parts) + note


def _side(side: Entity | Relation, none: str) -> str:
    if isinstance(side, Relation):
        return f"<b>{safe(relation_name(side.label, none))}</b>"
    return f"<b>{safe(side.label)}</b> <bdi>{safe(side.text)}</bdi>"


def failed_html(message: str) -> str:
    """One sentence in place of the figures."""
    return f'<p class="mm-error" role="alert">{safe(sentence(message))}</p>'
