"""Which files a request may name: uploads and the example photos, and one sentence for everything else."""

import os

import gradio as gr
import pytest
from gradio.components.image_editor import EditorData
from gradio.data_classes import FileData, ListFiles
from PIL import Image

from mmdemo.ui.serve.uploads import NOT_UPLOADED, only_uploads, uploaded
from mmdemo.ui.shell import examples


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of uploads, with one photo; a secret photo lies beside it."""
    folder = tmp_path / "uploads"
    (folder / "ab12").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "ab12" / "photo.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "in.png").symlink_to(folder / "ab12" / "photo.png")
    (folder / "ring.png").symlink_to(folder / "ring.png")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def test_uploads_and_example_photos_can_be_named(folder):
    photo = folder / "ab12" / "photo.png"
    assert uploaded(str(photo)) == str(photo.resolve())
    assert uploaded(str(folder / "in.png")) == str(photo.resolve())
    for _, path in examples.available():
        assert uploaded(str(path)) == str(path.resolve())


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/etc/passwd",
        "{folder}/../secret.png",
        "{folder}/../missing.png",
        "{folder}/missing.png",
        "{folder}/out.png",
        "{folder}/ring.png",
        "{folder}",
        "{folder}/ab12",
        "{folder}s/x.png",
        "photo.png",
        "http://127.0.0.1/x.png",
        "data:image/png;base64,AAAA",
        "\0",
        "\ud800",
        "x" * 100_000,
    ],
)
def test_everything_else_is_one_same_sentence(folder, path):
    with pytest.raises(gr.Error) as refused:
        uploaded(path and path.replace("{folder}", str(folder)))
    assert refused.value.message == NOT_UPLOADED and NOT_UPLOADED.count(".") == 1


def test_an_unreadable_upload_is_no_other_sentence(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read all
    with pytest.raises(gr.Error, match="was not uploaded"):
        uploaded(str(folder / "ab12" / "photo.png"))


def test_components_refuse_before_they_open_anything(folder):
    photo, secret = str(folder / "ab12" / "photo.png"), str(folder.parent / "secret.png")
    files, editor = gr.File(file_count="multiple"), gr.ImageEditor(type="numpy")
    for component in (files, editor):
        only_uploads(component)
        assert component.preprocess(None) is None
    assert files.preprocess(ListFiles(root=[FileData(path=photo)])) == [photo]
    assert editor.preprocess(EditorData(background=FileData(path=photo)))["background"].shape[:2] == (8, 8)
    for payload in (
        ListFiles(root=[FileData(path=photo), FileData(path=secret)]),
        FileData(path=secret),
    ):
        with pytest.raises(gr.Error, match="was not uploaded"):
            files.preprocess(payload)
    for place in ({"background": FileData(path=secret)}, {"layers": [FileData(path=secret)]}):
        with pytest.raises(gr.Error, match="was not uploaded"):
            editor.preprocess(EditorData(**place))
