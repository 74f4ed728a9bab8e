"""What stands below the editor and moves files: posts in, decisions out; and how far reviewers agree."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from mmdemo.config import DATASETS
from mmdemo.review.agreement import Agreement, Scores, agreements
from mmdemo.review.export import apply_corrections, export
from mmdemo.review.formats.table import FORMATS
from mmdemo.review.sources import SOURCES, Photos, read_posts
from mmdemo.types import InputError
from mmdemo.ui.review_calls import reviewer_of, store
from mmdemo.ui.review_tools import Told, done_html, note, told, wire
from mmdemo.ui.safe import safe

USES = {"show them to correct": "suggest", "hide them": "ignore", "take them as decided": "accept"}
CORRECT = "apply them as corrections of this queue"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
MAX_FILES = 2_000

# --- in --------------------------------------------------------------------------------------------


@told
def add_posts(
    queue: str,
    name: str,
    files: Sequence[str] | None,
    source: str,
    dataset: str,
    target: str,
    use: str,
    double: bool,
    profile: gr.OAuthProfile | None = None,
) -> Told:
    """Read uploaded files into a queue, which is made where there is none of that name."""
    reviewer = reviewer_of(name, profile)
    if not files or len(files) > MAX_FILES:
        raise InputError(f"choose 1 to {MAX_FILES} files: posts, and photos beside them if there are any")
    if source not in ("auto", *SOURCES):
        raise InputError(f"unknown format {source[:40]!r}")
    target = target or queue or "posts"
    with tempfile.TemporaryDirectory() as scratch:
        folder, posts = _gathered(files, Path(scratch), source)
        read = [item for path in posts for item in read_posts(path, source, dataset, Photos(folder=folder))]
        if use == CORRECT:
            changed = apply_corrections(store(), target, read, reviewer)
            return target, done_html(f"{len(changed.keys)} posts corrected.", tuple(changed.kept.values())[:10])
        store().make_queue(target, dataset, double=bool(double))
        done = store().add(target, read, use=USES.get(use, "suggest"))  # type: ignore[arg-type]
    known = f" {done.known} were there already." if done.known else ""
    return target, done_html(f"{done.added} posts added to “{target}”.{known}", done.warnings[:10])


def _gathered(files: Sequence[str], scratch: Path, source: str) -> tuple[Path, list[Path]]:
    """All uploads in one folder of their own, under their names; and those that hold posts."""
    for file in files:
        shutil.copyfile(file, scratch / Path(file).name)
    if source in ("folder", "brat"):
        return scratch, [scratch]
    posts = [path for path in sorted(scratch.iterdir()) if path.suffix.lower() not in PHOTO_SUFFIXES]
    if not posts:
        raise InputError("there are photos only; add the file with their posts, or choose the format “folder”")
    return scratch, posts


def add_tool() -> None:
    """Upload files of posts."""
    note("Files of posts, with their photos: CoNLL, MNRE, JSONL, CSV, Label Studio, spaCy, brat, or photos with .txt.")
    files = gr.File(label="Posts and photos", file_count="multiple", height=120, elem_id="review-files")
    with gr.Row():
        source = gr.Dropdown(["auto", *SOURCES], value="auto", label="Format", min_width=110)
        dataset = gr.Dropdown(list(DATASETS), value="twitter2017", label="Labels of", min_width=110)
    target = gr.Textbox(label="Queue", placeholder="a new name, or empty for the one on screen", max_length=80)
    use = gr.Dropdown([*USES, CORRECT], value=next(iter(USES)), label="Answers in the files")
    double = gr.Checkbox(False, label="Two blind reviews for each post (new queues)")
    button = gr.Button("Add posts", elem_id="review-add")
    wire(button, add_posts, [files, source, dataset, target, use, double])


# --- out -------------------------------------------------------------------------------------------


@told
def export_queue(
    queue: str, name: str, form: str, skip: bool, profile: gr.OAuthProfile | None = None
) -> tuple[Any, str]:
    """Write the decided posts as a file to download; a folder becomes a zip."""
    reviewer_of(name, profile)
    if not queue:
        raise InputError("open a queue first")
    if form not in FORMATS:
        raise InputError(f"unknown format {str(form)[:40]!r}")
    folder = Path(tempfile.mkdtemp(prefix="export-"))  # Gradio copies the file into its own cache
    try:
        path = folder / f"reviews-{form}{FORMATS[form].suffix}"
        done = export(store(), queue, path, form, skip=bool(skip))
        if path.is_dir():
            path = Path(shutil.make_archive(str(path), "zip", path))
        text = f"{done.posts} posts written and read back; {done.rejected} rejected ones left out."
        why = tuple(f"{ref}: {reason}" for ref, reason in done.left_out.items())[:10]
        return gr.update(value=str(path), visible=True), done_html(text, why)
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def export_tool() -> None:
    """Choose a format and download."""
    note("The decided posts. Each file is read back and compared before you get it.")
    names = [(f"{name}: {form.holds}", name) for name, form in FORMATS.items()]
    form = gr.Dropdown(names, value="jsonl", label="Format", elem_id="review-format")
    skip = gr.Checkbox(False, label="Leave out what the format cannot hold, instead of refusing")
    button = gr.Button("Export", elem_id="review-export")
    file = gr.File(label="Download", visible=False, interactive=False, elem_id="review-download")
    wire(button, export_queue, [form, skip], file)


# --- agreement -------------------------------------------------------------------------------------


@told
def show_agreement(queue: str, _: str) -> Told:
    """How far the reviewers of a double queue agree."""
    if not queue:
        raise InputError("open a queue first")
    found = agreements(store().double_reviews(queue))
    if not found:
        return None, done_html("No post of this queue has two reviews yet. Make a queue of double review to get some.")
    return None, "".join(agreement_html(one) for one in found)


def agreement_html(found: Agreement) -> str:
    """One pair of reviewers as a table: F1 of exact and overlapping spans, Cohen's kappa."""
    rows = {"All entities": found.entities, **found.by_entity, "All relations": found.relations, **found.by_relation}
    body = "".join(_row(name, scores) for name, scores in rows.items() if scores.first or scores.second)
    one, two = (safe(name) for name in found.reviewers)
    return (
        f'<table class="mm-scores"><caption>{one} and {two}, {found.posts} posts</caption><thead><tr><td></td>'
        '<th scope="col">F1 exact</th><th scope="col">F1 overlap</th><th scope="col">kappa</th>'
        f'<th scope="col">marked</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _row(name: str, scores: Scores) -> str:
    figures = ["–" if v is None else f"{v:.3f}" for v in (scores.exact, scores.overlap, scores.kappa)]
    cells = "".join(f"<td>{text}</td>" for text in (*figures, f"{scores.first} / {scores.second}"))
    return f'<tr><th scope="row">{safe(name)}</th>{cells}</tr>'


def agreement_tool() -> None:
    """A button that measures agreement."""
    note("Between the blind reviews of a double queue: span F1 and Cohen’s kappa, for each label.")
    wire(gr.Button("Measure agreement", elem_id="review-agreement"), show_agreement, [])
