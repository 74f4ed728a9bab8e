"""Archives and folders of people: what is read of them, what is told, and the bounds."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.formats.given import gathering
from mmdemo.formats.given.gathering import Gathered, gather
from mmdemo.formats.text import archive
from mmdemo.types import InputError

POSTS = "IMGID:1\nOla\tB-PER\n\n"
LINE = json.dumps({"id": "a", "tokens": ["Ola"], "entities": [{"start": 0, "end": 1, "label": "PER"}]})


def photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3, 3)).save(file, "JPEG")
    return file.getvalue()


def zipped(path: Path, **files: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in files.items():
            whole.writestr(name, content)
    return path


def formats(found: Gathered) -> list[str]:
    return sorted(source.format.name for source in found.sources)


def test_a_zip_of_an_export_with_its_photos(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "x.zip", **{"reviews.jsonl": LINE, "photos/1.jpg": photo(), "__MACOSX/._x": b"x"}
    )
    found = gather(path, "auto", tmp_path / "s")
    assert formats(found) == ["jsonl"] and [place.name for place in found.photos] == ["photos"]
    assert found.strays == {}


def test_a_brat_folder_zipped_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as whole:
        for name, text in {"in\\ü.txt": "Ola\r\n", "in\\ü.ann": "T1\tPER 0 3\tOla\r\n"}.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name  # as Windows writes it; ZipInfo would turn it round
            whole.writestr(entry, text)
    (source,) = gather(path, "auto", tmp_path / "s").sources
    assert source.format.name == "brat"
    (row,) = source.format.read(source.path)
    assert (row.post.id, row.post.entities[0].text) == ("ü", "Ola")  # type: ignore[index]


@pytest.mark.parametrize(
    "layout", ["NER_data/twitter2017/train.txt", "data/twitter2015/train.txt", "train.txt"]
)
def test_public_layouts(tmp_path: Path, layout: str) -> None:
    for name in (layout, layout.replace("train", "test")):
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_text(POSTS)
    images = tmp_path / "d" / "twitter_images"
    images.mkdir()
    (images / "1.jpg").write_bytes(photo())
    (tmp_path / "d" / "README.md").write_text("# data")
    (tmp_path / "d" / "model.bin").write_bytes(b"x")
    found = gather(tmp_path / "d", "auto", tmp_path / "s")
    assert formats(found) == ["conll", "conll"] and found.photos == (images,)
    assert found.strays == {"model.bin": "neither posts nor a photo that can be read"}


def test_an_archive_in_an_archive_in_an_archive_is_one_too_many(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "3.zip", **{"c.jsonl": LINE}).read_bytes()
    middle = zipped(tmp_path / "2.zip", **{"b.jsonl": LINE, "3.zip": inner}).read_bytes()
    outer = zipped(tmp_path / "1.zip", **{"a.txt": POSTS, "2.zip": middle})
    found = gather(outer, "auto", tmp_path / "s")
    assert sorted(source.path.name for source in found.sources) == ["a.txt", "b.jsonl", "c.jsonl"]
    deeper = zipped(tmp_path / "0.zip", **{"a.txt": POSTS, "1.zip": outer.read_bytes()})
    assert gather(deeper, "auto", tmp_path / "t").strays == {"3.zip": "an archive within archives"}


def test_tars_are_read_and_their_links_are_not(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tape:
        for name, link in (("posts.txt", ""), ("evil.txt", "/etc/passwd")):
            member = tarfile.TarInfo(name)
            member.size = 0 if link else len(POSTS)
            member.type, member.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.REGTYPE, "")
            tape.addfile(member, io.BytesIO(POSTS.encode()))
    found = gather(path, "auto", tmp_path / "s")
    assert [source.path.name for source in found.sources] == ["posts.txt"]
    assert not (tmp_path / "s" / "0" / "evil.txt").exists()


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "C:\\evil.txt", "..\\evil.txt"]
)
def test_no_file_leaves_its_folder(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "x.zip", **{name: POSTS})
    with pytest.raises(InputError, match="would lie outside its folder"):
        gather(path, "auto", tmp_path / "s" / "in")
    assert not list(tmp_path.rglob("evil.txt"))


def test_bombs_and_crowds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SMALL", 1000)
    with pytest.raises(InputError, match="far more than its own size"):
        gather(zipped(tmp_path / "x.zip", **{"a.txt": b"\0" * 5_000_000}), "auto", tmp_path / "s")
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    crowd = zipped(tmp_path / "y.zip", **{f"{n}.txt": POSTS for n in range(4)})
    with pytest.raises(InputError, match="more than 3 files"):
        gather(crowd, "auto", tmp_path / "t")


@pytest.mark.parametrize(
    ("name", "data"), [("x.zip", b"PK\x03\x04"), ("x.tar", b"no"), ("x.tar.xz", b"\xfd7zXZ\0")]
)
def test_damaged_archives_say_so(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=r"archive|unpacked"):
        gather(tmp_path / name, "auto", tmp_path / "s")


def test_folders_without_posts_say_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.docx").write_text("x")
    with pytest.raises(InputError, match="no posts that can be read: 'x.docx': neither posts nor a photo"):
        gather(tmp_path / "d", "auto", tmp_path / "s")
    assert gathering.MAX_FILES >= archive.MAX_FILES
