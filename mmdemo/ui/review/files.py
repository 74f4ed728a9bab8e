"""Tools below the editor that move files: posts in, decisions out; and how far reviewers agree."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from mmdemo.cells.catalogue import dataset_named, known_datasets
from mmdemo.datasets.discovery import default_for, reviewed_as
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.given.photos import Photos
from mmdemo.formats.shared.labels import read_names
from mmdemo.formats.table import FORMATS, SOURCES, find_format
from mmdemo.review.agreement import agreements
from mmdemo.review.export import Exported, export
from mmdemo.review.importing import BadRows, Wish, bring, correct, preview
from mmdemo.review.names import check_name, count_posts
from mmdemo.review.records import Queue
from mmdemo.review.store.intake import Use
from mmdemo.types import InputError, quoted
from mmdemo.ui.review.agreement import agreement_html
from mmdemo.ui.review.calls import store
from mmdemo.ui.review.looked import look_html
from mmdemo.ui.review.people import reader_of, reviewer_of
from mmdemo.ui.review.tools import Told, done_html, note, told, wire
from mmdemo.ui.serve.uploads import only_uploads
from mmdemo.ui.shell.safe import safe

USES: dict[str, Use] = {
    "show them to correct": "suggest",
    "hide them": "ignore",
    "take them as decided": "accept",
}
CORRECT = "apply them as corrections of this queue"
MAX_FILES = 2_000

# --- in --------------------------------------------------------------------------------------------


@contextmanager
def _wished(
    files: Sequence[str] | None, queue: str, target: str, dataset: str, described: str | None, maps: str
) -> Iterator[tuple[str, Queue | None, Dataset, Path, Photos, dict[str, str]]]:
    """What a person chose: the queue's name, itself if it is there, its labels, and where the files lie."""
    if not files or len(files) > MAX_FILES:
        raise InputError(f"choose 1 to {MAX_FILES} files: posts, and photos beside them if there are any")
    target = check_name(target.strip() or queue or "posts", "queue")
    known = {found.name: found for found in store().queues()}.get(target)
    with tempfile.TemporaryDirectory() as scratch:
        folder = _gathered(files, Path(scratch))
        scheme = known.scheme if known else reviewed_as(dataset_named(dataset))
        photos = Photos(folder=folder, descriptions=Path(described) if described else None)
        names = read_names([line for line in maps.splitlines() if line.strip()])
        try:
            yield target, known, scheme, folder, photos, names
        except InputError as error:  # which names the file by its place here
            places = (scratch, *((str(Path(described).parent),) if described else ()))
            raise InputError(_without(str(error), places)) from error


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
    maps: str = "",
    whole: bool = False,
    profile: gr.OAuthProfile | None = None,
) -> Told:
    """Read uploaded files into a queue, which is made where there is none of that name.

    ``described`` is a file of what the photos show (`mmdemo.formats.descriptions`), ``maps`` other names for
    labels, one a line; with ``whole`` nothing is taken where a row is damaged.
    """
    reviewer = reviewer_of(name, profile)
    with _wished(files, queue, target, dataset, described, maps) as found:
        target, known, scheme, folder, photos, names = found
        bad: BadRows = "stop" if whole else "skip"
        wish = Wish(source=source, names=names, bad_rows=bad, use=USES.get(use, "suggest"))
        if use == CORRECT:
            changed = correct(store(), target, folder, scheme, photos, wish, reviewer)
            return target, done_html(
                f"{count_posts(len(changed.keys))} corrected.", tuple(changed.kept.values())
            )
        twice = known.double if known else bool(double)
        done = bring(store(), target, folder, scheme, photos, wish, double=twice, reviewer=reviewer)
        notes = tuple(_without(note, (str(folder),)) for note in done.warnings)
    known_too = f" {done.known} were there already." if done.known else ""
    return target, done_html(f"{count_posts(done.added)} added to “{target}”.{known_too}", notes)


@told
def preview_posts(
    queue: str,
    name: str,
    files: Sequence[str] | None,
    source: str,
    dataset: str,
    target: str,
    described: str | None = None,
    maps: str = "",
    profile: gr.OAuthProfile | None = None,
) -> Told:
    """What the uploaded files would bring; nothing is stored."""
    reviewer_of(name, profile)
    with _wished(files, queue, target, dataset, described, maps) as found:
        _, _, scheme, folder, photos, names = found
        seen = preview(folder, scheme, photos, Wish(source=source, names=names))
        return None, _without(look_html(seen), (safe(str(folder)), str(folder)))


def _without(text: str, places: Sequence[str]) -> str:
    """A message without folders of this machine."""
    for place in places:
        text = text.replace(f"{place}/", "").replace(place, "the upload")
    return text


def _gathered(files: Sequence[str], scratch: Path) -> Path:
    """All uploads in one folder of their own, under their names."""
    for file in files:
        copy = scratch / Path(file).name
        if copy.exists():
            raise InputError(f"two of the files are called {quoted(copy.name)}")
        shutil.copyfile(file, copy)
    return scratch


def add_tool() -> None:
    """Upload files of posts, look at what they hold, and add them."""
    note(
        "Files of posts, with their photos beside them, or a zip of both: "
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
    with gr.Row():
        double = gr.Checkbox(False, label="Two blind reviews for each post (a new queue)")
        whole = gr.Checkbox(False, label="Take nothing where a row is damaged")
        apart = gr.Checkbox(False, label="A file of its own tells what the photos show")
    maps = gr.Textbox(
        label="Other names for labels (optional), one a line: OLD=NEW",
        placeholder="an empty NEW leaves the label out",
        lines=1,
        max_lines=6,
        elem_id="review-map",
    )
    described = _descriptions(apart)
    look = gr.Button("Preview", elem_id="review-preview")
    wire(look, preview_posts, [files, source, dataset, target, described, maps])
    button = gr.Button("Add posts", elem_id="review-add", variant="primary")
    wire(button, add_posts, [files, source, dataset, target, use, double, described, maps, whole])


def _descriptions(asked: gr.Checkbox) -> gr.File:
    """The file of descriptions, which few have: there once it is asked for."""
    found = gr.File(
        label="What the photos show: JSON lines of an image_id and a description",
        file_types=[".jsonl", ".json"],
        height=110,
        visible=False,
        elem_id="review-descriptions",
    )
    only_uploads(found)
    asked.change(lambda on: gr.update(visible=bool(on)), asked, found, queue=False, api_visibility="private")
    return found


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
