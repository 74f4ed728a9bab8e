"""A comparison as one HTML file that needs nothing else: text, photo, table, numbers. Pure.

The page allows no script at all (its Content-Security-Policy says so), on top of `safe` escaping.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mmdemo.answer.comparison_json import comparison_json
from mmdemo.datasets.looks import looks_of
from mmdemo.datasets.schema import Dataset
from mmdemo.types import Comparison, Question
from mmdemo.ui.compare.view import comparison_html
from mmdemo.ui.shell.photo_words import photo_words_html
from mmdemo.ui.shell.post_bar import photo_source
from mmdemo.ui.shell.safe import safe
from mmdemo.ui.shell.view import asked_html

UI = Path(__file__).parents[1]
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLES = ("shell/page.css", "shell/answer.css", "compare/compare.css")
PHOTO_SIDE = 640  # pixels
#: Gradio's variables, which our styles speak of, for a page without Gradio.
VARIABLES = """
:root { color-scheme: light dark; --body-text-color: #1b1b1f; --body-text-color-subdued: #55555f;
  --border-color-primary: #d9d9e0; --block-background-fill: #fff; --font-mono: ui-monospace, monospace; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 24px auto; padding: 0 16px;
  background: #f6f7f9; color: var(--body-text-color); }
.mm-post { display: flex; gap: 16px; align-items: flex-start; margin: 0 0 16px; flex-wrap: wrap; }
.mm-post img { max-width: 240px; max-height: 240px; border-radius: 10px; }
.mm-post > div { flex: 1 1 320px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
@media (prefers-color-scheme: dark) {
  :root { --body-text-color: #f4f4f5; --body-text-color-subdued: #a9a9b4; --border-color-primary: #3f3f46;
    --block-background-fill: #18181b; }
  body { background: #0e0e11; }
}
"""


def page_html(comparison: Comparison, dataset: Dataset, metrics: Sequence[Mapping[str, Any]]) -> str:
    """The whole document. ``metrics`` as in `mmdemo.ui.compare.view.comparison_html`."""
    styles = [(UI / name).read_text(encoding="utf-8") for name in STYLES]
    post = comparison.post
    tweet = asked_html(Question(post=post, ask=comparison.answers[0].prediction.ask), looks_of(dataset))
    names = "".join(f"<li><code>{safe(a.prediction.checkpoint)}</code></li>" for a in comparison.answers)
    data = sorted({str(m["data"]) for m in metrics if m.get("data")})
    photos = f"<p>Trained with {safe(', '.join(data))}.</p>" if data else ""
    numbers = safe(json.dumps(comparison_json(comparison), ensure_ascii=False, indent=1))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mmdemo: one post, {len(comparison.answers)} answers</title>
<style>{"".join([VARIABLES, *styles])}</style></head>
<body><h1>One post, {len(comparison.answers)} answers</h1>
<p class="mm-quiet">Checkpoints trained on {safe(dataset.title)}, compared by mmdemo.</p>
<div class="mm-post">{_photo_html(post.image)}<div>{tweet}{photo_words_html(post.photo_words)}</div></div>
{comparison_html(comparison, dataset, metrics, clickable=False)}
<details><summary>Checkpoints</summary><ul>{names}</ul>{photos}</details>
<details><summary>Numbers as JSON</summary><pre>{numbers}</pre></details>
</body></html>
"""


def _photo_html(photo: object) -> str:
    """The photo inside the page, made smaller."""
    if not isinstance(photo, Image.Image):
        return ""
    return f'<img src="{photo_source(photo, PHOTO_SIDE)}" alt="The post’s photo">'
