"""The photos of people's posts: found by column, id, path or link; and told where they are not."""

import json
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.formats.given.photos import Photos, Sought
from mmdemo.formats.reading import read_posts
from mmdemo.types import InputError, Post
from tests.made_up import odd_dataset

ODD_SET = odd_dataset()


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


def read(path: Path, photos: Photos | None = None) -> tuple[list[Post], Sought]:
    sought = Sought()
    rows = read_posts(path, "auto", ODD_SET, photos, sought=sought)
    return [row.post for row in rows], sought


def csv_of(tmp_path: Path, *names: str) -> Path:
    (tmp_path / "x.csv").write_text("\n".join(["text,image", *(f'Ann sings,"{name}"' for name in names)]))
    return tmp_path / "x.csv"


@pytest.mark.parametrize(
    "name", ["a 1.jpg", "pics\\a 1.jpg", "pics/a 1.jpg", "a%201.jpg", "A 1.JPG", "D:\\shot\\a 1.jpg"]
)
def test_a_column_finds_its_photo_beside_the_file(tmp_path: Path, name: str) -> None:
    where = photo(tmp_path / ("pics" if "pics" in name else ".") / "a 1.jpg")
    (one,), sought = read(csv_of(tmp_path, name))
    assert one.image == where.resolve() and sought.notes() == ()


def test_a_column_of_another_machine_finds_its_photo_in_the_folder_that_is_given(tmp_path: Path) -> None:
    where = photo(tmp_path / "mine" / "a.jpg")
    (one,), _ = read(csv_of(tmp_path, "/home/eve/a.jpg"), Photos(folder=tmp_path / "mine"))
    assert one.image == where
    with pytest.raises(InputError, match="outside its folders"):
        read(csv_of(tmp_path, "/home/eve/b.jpg"), Photos(folder=tmp_path / "mine"))


def test_links_are_kept_and_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a link was followed"))
    link = "https://pics.example.org/media/q7.jpg?name=large"
    (one, two), sought = read(csv_of(tmp_path, link, ""))
    assert (one.image, one.image_id, two.image_id) == (None, link, None)
    assert sought.notes()[0] == f"photos: 0 of 1 found; not found: '{link}'"
    assert "kept and not fetched" in sought.notes()[1]
    where = photo(tmp_path / "q7.png")
    (one, _), sought = read(csv_of(tmp_path, link, ""))
    assert one.image == where.resolve() and sought.notes() == ()


def test_what_is_not_found_is_listed_and_counted(tmp_path: Path) -> None:
    photo(tmp_path / "pics" / "p0.jpg")
    photo(tmp_path / "pics" / "spare.jpg")
    lines = [{"tokens": ["a"], "id": str(n), "image_id": f"p{n % 9}"} for n in range(18)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    posts, sought = read(tmp_path / "x.jsonl", Photos(folder=tmp_path / "pics"))
    assert sum(post.image is not None for post in posts) == 2
    assert sought.notes() == (
        "photos: 2 of 18 found; not found: 'p1', 'p2', 'p3', 'p4', 'p5' and 3 more",
        "photos: 1 of 2 in the folder belong to no post of the file",
    )
    _, sought = read(tmp_path / "x.jsonl")
    assert sought.notes()[1] == "photos: no folder of photos was given"


def test_a_folder_of_which_no_photo_fits_is_told_even_where_no_post_names_one(tmp_path: Path) -> None:
    photo(tmp_path / "pics" / "p0.jpg")
    (tmp_path / "x.csv").write_text("text\nAnn sings\n")
    _, sought = read(tmp_path / "x.csv", Photos(folder=tmp_path / "pics"))
    assert sought.notes() == ("photos: 1 of 1 in the folder belong to no post of the file",)


def test_photos_in_folders_below_the_one_given_are_found(tmp_path: Path) -> None:
    where = photo(tmp_path / "pics" / "deep" / "er" / "p0.jpg")
    (tmp_path / "x.jsonl").write_text(json.dumps({"tokens": ["a"], "image_id": "p0"}))
    (one,), _ = read(tmp_path / "x.jsonl", Photos(folder=tmp_path / "pics"))
    assert one.image == where
