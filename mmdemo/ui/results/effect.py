"""What a cell's photos changed on test: against grey, swapped and no photos, by kind of post, by class. Pure.

``metrics.json`` is read tolerantly: a figure that is not there is not shown.
"""

from collections.abc import Mapping
from typing import Any

from mmdemo.ui.shell.card import PHOTO_STATES, figure
from mmdemo.ui.shell.safe import safe

UNLIKE = {"none": "no photo", "blank": "a grey one", "shuffled": "another’s (one draw)"}
assert UNLIKE.keys() < PHOTO_STATES.keys()


def effect_html(metrics: Mapping[str, Any]) -> str:
    """Differences with their bootstrap intervals; ▲ or ▼ only where the interval leaves zero out.

    None against another post's photo: which posts lend theirs was drawn once, and no resampling of the posts
    tells how much that draw matters (up to 2.6 points for a ViLT cell on MNRE).
    """
    effect = metrics.get("photo_effect")
    if not isinstance(effect, Mapping):
        return ""
    against, slices = effect.get("against"), effect.get("slices")
    rows = [
        _row(f"all posts, against {UNLIKE[name]}", found, signed=name != "shuffled")
        for name, found in (against.items() if isinstance(against, Mapping) else ())
        if name in UNLIKE
    ]
    for found in slices if isinstance(slices, list) else []:
        posts = figure(found, ("posts",))
        if posts is not None:
            rows.append(_row(f"{found.get('name')} ({posts:.0f}), against no photo", found))
    body = "".join(rows)
    if not body:
        return ""
    level, resamples = figure(effect, ("level",)), figure(effect, ("resamples",))
    how = f"{level:.0f} % of {resamples:.0f} resamples of the posts" if level and resamples else "resamples"
    return (
        '<table class="mm-scores"><caption>What the post’s own photo adds to F1 on test, in points; '
        f"interval: {how}. ▲ or ▼ where it leaves zero out</caption><thead><tr><td></td>"
        "<th scope='col'>adds</th>"
        f"<th scope='col'>interval</th></tr></thead><tbody>{body}</tbody></table>"
    )


def _row(title: str, found: object, signed: bool = True) -> str:
    change, low, high = (figure(found, (name,)) for name in ("change", "low", "high"))
    if change is None or low is None or high is None:
        return ""
    sign = ("▲" if low > 0 else "▼" if high < 0 else "≈") if signed else ""
    return (
        f"<tr><th scope='row'>{safe(title)}</th><td>{sign} {100 * change:+.2f}</td>"
        f"<td>{100 * low:+.2f} … {100 * high:+.2f}</td></tr>"
    )


def classes_html(metrics: Mapping[str, Any]) -> str:
    """Classes where the photo moved F1 most on test; single classes are few cases, so without an interval."""
    test = metrics.get("splits", {}).get("test", {})
    with_photo = test.get("photo", {}).get("per_class") or {}
    without = test.get("none", {}).get("per_class") or {}
    moved = []
    for label, row in with_photo.items():
        f1, alone = figure(row, ("f1",)), figure(without.get(label, {}), ("f1",))
        support = figure(row, ("support",))
        if f1 is not None and alone is not None and support:
            moved.append((f1 - alone, label, f1, int(support)))
    moved.sort(key=lambda m: -abs(m[0]))
    if not moved:
        return '<p class="mm-quiet">No figures by class are stored with this checkpoint.</p>'
    rows = "".join(
        f"<tr><th scope='row'>{safe(label)}</th><td>{_sign(d)} {100 * d:+.1f}</td>"
        f"<td>{f1:.1%}</td><td>{support}</td></tr>"
        for d, label, f1, support in moved[:8]
    )
    return (
        '<table class="mm-scores"><caption>Classes that moved most with the photo, in points of F1 (few '
        "cases each: no more than a hint)</caption><thead><tr><td></td>"
        "<th scope='col'>photo</th><th scope='col'>F1</th>"
        f"<th scope='col'>cases</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _sign(moved: float) -> str:
    return "▲" if moved > 0 else "▼" if moved < 0 else "="
