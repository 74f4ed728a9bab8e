"""Which files of this machine a request may name: those that were uploaded, and the example photos.

Gradio checks that only where a payload says of itself that it is a file (``meta``), which an attacker leaves
out. Every component that takes files from visitors goes through `uploaded`.
"""

import os
import re
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from gradio_client.utils import is_file_obj, traverse

from mmdemo.photo.lookup import SUFFIXES
from mmdemo.ui.shell import examples

#: One sentence, whatever it is: a file outside that exists must look like one that does not.
NOT_UPLOADED = (
    "The file was not uploaded here, or is not kept any more: upload it, from Python with handle_file."
)


def uploaded(path: str | None) -> str:
    """The resolved path of an uploaded file or an example photo.

    Raises gr.Error with one same sentence for all else: missing, unreadable, elsewhere, a link elsewhere.
    """
    try:
        found = Path(path or "").resolve(strict=True)
        folder = Path(get_upload_folder()).resolve()
        known = found.is_relative_to(folder) or found in {own.resolve() for _, own in examples.available()}
        if path and known and found.is_file() and os.access(found, os.R_OK):
            return str(found)
    except (OSError, ValueError, RuntimeError):  # too long, NUL, half a surrogate pair, links in a ring
        pass
    raise gr.Error(NOT_UPLOADED, print_exception=False)


def found_again(token: str) -> str | None:
    """The upload that a link names, as long as it is kept: by its folder, which Gradio names by a keyed hash.

    Whoever knows it had the photo, or the link, from somebody who had.
    """
    folder = Path(get_upload_folder()) / token
    if not re.fullmatch("[0-9a-f]{64}", token) or not folder.is_dir():
        return None
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()]
    return str(files[0]) if files else None


def only_uploads(component: gr.components.Component) -> None:
    """Let a component that takes files refuse all that `uploaded` refuses, before it opens any."""
    as_gradio_does = component.preprocess

    def preprocess(payload: Any) -> Any:
        if payload is not None:
            traverse(payload.model_dump(), lambda file: uploaded(file["path"]), is_file_obj)
        return as_gradio_does(payload)

    component.preprocess = preprocess  # type: ignore[method-assign]  # the one hook there is
