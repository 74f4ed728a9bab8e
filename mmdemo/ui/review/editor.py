"""The review editor as one `gr.HTML`: a fixed shell that scripts fill from what the server functions answer.

No text of a post ever stands in a template: scripts set it as text nodes (`desk/page.js`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from mmdemo.ui.shell.assets import head_of

ASSETS = Path(__file__).parent / "desk"
#: In the order in which they need each other.
PIECES = (
    "post/answer",
    "page",
    "session",
    "post/words",
    "post/labels",
    "post/parts",
    "queue",
    "keys",
    "post/edits",
)
DESK = ("talk", "opening", "deciding", "rewinding", "said", "screen", "editor")
SCRIPTS = PIECES + DESK
STYLES = ("frame", "queue", "post/words", "said", "post/parts", "controls", "dialog", "tools")

SHELL = """
<section class="rv" aria-label="Review posts">
  <div class="rv-top">
    <div class="rv-progress" data-at="progress"></div>
    <div class="rv-who" data-at="who"></div>
  </div>
  <div class="rv-warn" data-at="warn"></div>
  <div class="rv-body">
    <nav class="rv-queue rv-card" aria-label="Queue">
      <div class="rv-filters" data-at="filters"></div>
      <ol class="rv-rows" data-at="rows"></ol>
      <div class="rv-foot"><div class="rv-pager" data-at="pager"></div><div data-at="bulk"></div></div>
    </nav>
    <div>
      <div class="rv-empty rv-card" data-at="empty"><b>Loading the queue …</b></div>
      <article class="rv-post rv-card" aria-label="Post">
        <p class="rv-facts" data-at="facts"></p>
        <div class="rv-disputed" data-at="disputed"></div>
        <div class="rv-sheet">
          <div>
            <div class="rv-photo" data-at="photo"></div>
            <section class="rv-said" data-at="said" aria-label="What the photo says" hidden></section>
          </div>
          <div>
            <div class="rv-words" data-at="words" tabindex="0"
              role="listbox" aria-multiselectable="true"
              aria-label="Words of the post. Arrows move, Shift and arrows select, numbers label."></div>
            <div data-at="palette"></div>
          </div>
        </div>
        <ul class="rv-spans" data-at="spans" aria-label="Entities"></ul>
        <ul class="rv-spans" data-at="links" aria-label="Relations"></ul>
        <div class="rv-actions" data-at="actions" role="toolbar" aria-label="Decide and move"></div>
      </article>
    </div>
  </div>
  <p class="rv-live" data-at="live" role="status" aria-live="polite"></p>
</section>
"""


def head() -> str:
    """The editor's style and scripts, for the page's head, behind those of `mmdemo.ui.photo.panel`."""
    return head_of(ASSETS, STYLES, SCRIPTS)


def build(calls: list[Callable[..., Any]]) -> gr.HTML:
    """The component; ``calls`` are what its scripts may ask the server, by their names."""
    return gr.HTML(
        html_template=SHELL,
        js_on_load="window.mmreview.mount(element, server);",
        apply_default_css=False,
        server_functions=calls,
        elem_id="review-editor",
    )
