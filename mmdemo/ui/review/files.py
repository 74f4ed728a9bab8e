"""Tools below the editor that move files: posts in, decisions out; and how far reviewers agree."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from mmdemo.cells.catalogue import dataset_named, known_datasets
from mmdemo.datasets.discovery import default_for, reviewed_as
from mmdemo.formats.format import cut_notes
from mmdemo.formats.photos import Photos, Sought
from mmdemo.formats.reading import read_posts
from mmdemo.formats.table import FORMATS, SOURCES, find_format
from mmdemo.photo.names import SUFFIXES
from mmdemo.review.agreement import agreements
from mmdemo.review.export import Exported, apply_corrections, export
from mmdemo.review.names import check_name, count_posts
from mmdemo.review.store.intake import Use
from mmdemo.types import InputError, Question, quoted
from mmdemo.ui.review.agreement import agreement_html
from mmdemo.ui.review.calls import store
from mmdemo.ui.review.people import reader_of, reviewer_of
from mmdemo.ui.review.tools import Told, done_html, note, told, wire
from mmdemo.ui.serve.uploads import only_uploads

USES: dict[str, Use] = {
    "show them to correct": "suggest",
    "hide them": "ignore",
    "take them as decided": "accept",
}
CORRECT = "apply them as corrections of this queue"
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
    described: str | None = None,
    profile: gr.OAuthProfile | None = None,
) -> Told:
    """Read uploaded files into a queue, which is made where there is none of that name.

    ``described`` is a file of what the photos show (`mmdemo.formats.descriptions`).
    """
    reviewer = reviewer_of(name, profile)
    if not files or len(files) > MAX_FILES:
        raise InputError(f"choose 1 to {MAX_FILES} files: posts, and photos beside them if there are any")
    target = check_name(target.strip() or queue or "posts", "queue")
    known = {found.name: found for found in store().queues()}.get(target)
    with tempfile.TemporaryDirectory() as scratch:
        folder, posts = _gathered(files, Path(scratch), source)
        scheme = known.scheme if known else reviewed_as(dataset_named(dataset))
        photos = Photos(folder=folder, descriptions=Path(described) if described else None)
        try:
            read, cut, sought = list[Question](), Counter[str](), Sought()
            for path in posts:
                read += read_posts(path, source, scheme, photos, shortened=cut, sought=sought)
        except InputError as error:  # which names the file by its place here
            places = (scratch, *((str(Path(described).parent),) if described else ()))
            raise InputError(_without(str(error), places)) from error
        if use == CORRECT:
            changed = apply_corrections(store(), target, read, reviewer)
            return target, done_html(
                f"{count_posts(len(changed.keys))} corrected.", tuple(changed.kept.values())
            )
        store().make_queue(target, scheme, double=known.double if known else bool(double))
        done = store().add(target, read, use=USES.get(use, "suggest"), reviewer=reviewer)
    known_too = f" {done.known} were there already." if done.known else ""
    notes = (*done.warnings, *cut_notes(cut), *sought.notes(), *(_described(read) if described else ()))
    return target, done_html(f"{count_posts(done.added)} added to “{target}”.{known_too}", notes)


def _without(text: str, places: Sequence[str]) -> str:
    """A message without folders of this machine."""
    for place in places:
        text = text.replace(f"{place}/", "")
    return text


def _described(read: Sequence[Question]) -> tuple[str]:
    """What became of a file of descriptions: one that fits no photo would else go unnoticed."""
    count = sum(bool(item.post.photo_words) for item in read)
    return (f"words of the photo: {count} of {count_posts(len(read))}",)


def _gathered(files: Sequence[str], scratch: Path, source: str) -> tuple[Path, list[Path]]:
    """All uploads in one folder of their own, under their names; and those that hold posts."""
    for file in files:
        copy = scratch / Path(file).name
        if copy.exists():
            raise InputError(f"two of the files are called {quoted(copy.name)}")
        shutil.copyfile(file, copy)
    if source in ("folder", "brat"):
        return scratch, [scratch]
    posts = [path for path in sorted(scratch.iterdir()) if path.suffix.lower() not in SUFFIXES]
    if not posts:
        raise InputError(
            "these are photos only; add the file with their posts, or choose the format “folder”"
        )
    return scratch, posts


def add_tool() -> None:
    """Upload files of posts."""
    note(
        "Files of posts, with their photos beside them: "
        f"{', '.join(found.title for found in SOURCES.values())}."
    )
    files = gr.File(label="Posts and photos", file_count="multiple", height=140, elem_id="review-files")
    only_uploads(files)
    datasets = [(dataset.title, name) for name, dataset in known_datasets().items()]
    with gr.Row():
        source = gr.Dropdown(["auto", *SOURCES], value="auto", label="Format", min_width=140)
        dataset = gr.Dropdown(
            datasets, value=default_for("entities").name, label="Labels of a new queue", min_width=140
        )
        target = gr.Textbox(
            label="Queue", placeholder="a new name; empty: the one on screen", max_length=80, min_width=180
        )
        use = gr.Dropdown([*USES, CORRECT], value=next(iter(USES)), label="Answers in the files")
    double = gr.Checkbox(False, label="Two blind reviews for each post (a new queue)")
    described = gr.File(
        label="What the photos show (optional): JSON lines of an image_id and a description",
        file_types=[".jsonl", ".json"],
        height=110,
        elem_id="review-descriptions",
    )
    only_uploads(described)
    button = gr.Button("Add posts", elem_id="review-add", variant="primary")
    wire(button, add_posts, [files, source, dataset, target, use, double, described])


# --- out -------------------------------------------------------------------------------------------


def exported(
    queue: str, form: str, *, photos: bool, skip: bool, decisions: bool = False
) -> tuple[str, Exported]:
    """Write the decided posts to a file to download; a folder, or a file with its photos, becomes a zip.

    Raises:
        InputError: there is no such queue or format, or the format cannot hold some posts.
    """
    if not queue:
        raise InputError("open a queue first")
    suffix = find_format(form).suffix
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / f"reviews-{form}"
        folder.mkdir()
        path = folder / f"reviews{suffix}"
        place = folder / "photos" if photos else None
        done = export(
            store(),
            queue,
            path,
            form,
            photos=place,
            skip=bool(skip),
            portable=True,
            decisions=bool(decisions),
        )
        if photos or not suffix:
            path = Path(shutil.make_archive(str(folder), "zip", folder))
        return save_file_to_cache(path, get_upload_folder()), done  # which Gradio empties after a day


@told
def export_queue(
    queue: str,
    name: str,
    form: str,
    photos: bool,
    skip: bool,
    decisions: bool = False,
    profile: gr.OAuthProfile | None = None,
) -> tuple[Any, str]:
    """The decided posts as a file to download, and what was left out."""
    reviewer_of(name, profile)
    kept, done = exported(queue, form, photos=photos, skip=skip, decisions=decisions)
    text = (
        f"{count_posts(done.posts)} of “{queue}” written as {form} and read back; "
        f"{done.rejected} rejected left out."
    )
    why = (*done.lacking, *(f"{ref}: {reason}" for ref, reason in done.left_out.items()))
    why += tuple(f"{ref}: written without {what}" for ref, what in done.reduced.items())
    return gr.update(value=kept, visible=True), done_html(text, why)


def export_tool() -> None:
    """Choose a format and download."""
    note("The decided posts of the queue. Each file is read back and compared before you get it.")
    names = [(f"{name}: {form.holds}", name) for name, form in FORMATS.items()]
    form = gr.Dropdown(names, value="jsonl", label="Format", elem_id="review-format")
    photos = gr.Checkbox(False, label="With the photos, as a zip (what training needs)")
    skip = gr.Checkbox(False, label="Leave out what the format cannot hold, instead of refusing")
    who = gr.Checkbox(False, label="Say who decided, when, and on which cell's answer")
    button = gr.Button("Export", elem_id="review-export", variant="primary")
    file = gr.File(label="Download", visible=False, interactive=False, elem_id="review-download")
    wire(button, export_queue, [form, photos, skip, who], file)


# --- agreement -------------------------------------------------------------------------------------


@told
def show_agreement(queue: str, name: str, profile: gr.OAuthProfile | None = None) -> Told:
    """How far the reviewers of a double queue agree."""
    reader_of(name, profile)
    if not queue:
        raise InputError("open a queue first")
    found = agreements(store().double_reviews(queue))
    if not found:
        text = (
            "No post of this queue has two reviews yet; add posts to a queue of two blind reviews for some."
        )
        return None, done_html(text)
    return None, "".join(agreement_html(one) for one in found)


def agreement_tool() -> None:
    """A button that measures agreement."""
    note("Between the blind reviews of a double queue: F1 of the spans and Cohen’s kappa, for each label.")
    button = gr.Button("Measure agreement", elem_id="review-agreement", variant="primary")
    wire(button, show_agreement, [])
