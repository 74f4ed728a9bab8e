"""The analysis page: it counts right, hostile text stays text, and known photos are not seen again."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdemo.models.subtokens import TextReader
from mmdemo.types import Entity, InputError, Post, Relation
from tests.tiny import write_data
from train.analyse import photos as analyse_photos
from train.analyse.copies import find_copies, shared_texts
from train.analyse.figures import content_heatmap
from train.analyse.photos import PhotoFacts, class_names, content_name, fingerprint, photo_facts
from train.analyse.report import analyse
from train.analyse.texts import split_facts, words_by_class
from train.data.source import DataSource

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>${alert(3)}{{7*7}}'


def post(text: str, **more) -> Post:
    return Post(text=text, tokens=tuple(text.split(" ")), **more)


def facts(digest: str, bits: int = 0, contrast: float = 0.3, classes=((281, 0.9),)) -> PhotoFacts:
    return PhotoFacts(
        digest=digest,
        width=224,
        height=224,
        brightness=0.5,
        contrast=contrast,
        fingerprint=bits,
        classes=tuple(classes),
    )


def save_photo(file: Path, seed: int, side: int = 64) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC).save(file)
    return file


def test_counts_of_a_split(reader: TextReader):
    posts = [
        post("Kevin Durant plays", entities=(Entity(start=0, end=2, label="PER"),)),
        post("nothing here", entities=()),
    ]
    found = split_facts(posts, reader)
    assert (found.posts, found.words, found.per_post) == (2, (3, 2), (1, 0))
    assert found.labels == {"PER": 1} and found.tags == {"B-PER": 1, "I-PER": 1, "O": 3}
    assert found.subtokens[1] == 4  # [CLS] nothing here [SEP]


def test_a_relation_counts_as_its_row(reader: TextReader):
    relation = Relation(head=(0, 1), tail=(2, 3), label="None")
    found = split_facts([post("Ann loves Oakland", relations=(relation,))], reader)
    assert found.labels == {"None": 1} and not found.tags and found.per_post == (1,)
    assert found.subtokens[0] == 3 + 2 + 4  # and four marks


def test_words_of_a_class_are_those_that_tell():
    posts = [
        post(
            "The #Oakland A's @name http://x.y İstanbul",
            entities=(Entity(start=0, end=3, label="LOC"), Entity(start=3, end=6, label="ORG")),
        )
    ]
    assert words_by_class(posts, {"the"}) == {"LOC": {"Oakland": 1, "A's": 1}, "ORG": {}}


def test_copies_are_found_within_and_between_splits():
    one, two = Path("one"), Path("two")
    posts = {
        "train": [post("a b c d", id="1", image=one), post("a b c d", id="2", image=one), post("x", id="3")],
        "test": [post("RT @me: A b c D http://t.co/x", id="4", image=two), post("x", id="5")],
    }
    known = {one: facts("p", 0b1011), two: facts("q", 0b1000)}
    found = {(c.what, c.where): (c.count, c.examples) for c in find_copies(posts, known) if c.count}
    where = "in test, known from train"
    assert found == {
        ("the same row", "within train"): (1, ("2: a b c d",)),
        ("the same text", where): (1, ("5: x",)),
        ("a text alike but for case, links, @names", where): (1, ("4: RT @me: A b c D http://t.co/x",)),
        ("a photo that looks the same", where): (1, ("4: RT @me: A b c D http://t.co/x",)),
    }
    assert shared_texts(posts).tolist() == [[1, 1], [1, 1]]


def test_the_same_file_is_the_same_photo_and_a_plain_one_is_like_no_other():
    photo = [Path(name) for name in "abc"]
    posts = {"train": [post("x", image=photo[0])], "test": [post(p.name, image=p) for p in photo[1:]]}
    known = {photo[0]: facts("p", 7), photo[1]: facts("p", 7), photo[2]: facts("q", 7, contrast=0.01)}
    counts = {c.what: c.count for c in find_copies(posts, known) if c.count}
    assert counts == {"the same photo": 1}


def test_contents_have_the_names_of_their_classes():
    assert len(class_names()) == 1000
    assert [content_name(i) for i in (207, 14, 301, 386, 805)] == [
        "dog",
        "bird",
        "insect or spider",
        "another animal",
        "soccer ball",
    ]
    assert facts("p", classes=((805, 0.19),)).content == "nothing clear"


def test_heatmap_needs_posts_enough():
    assert content_heatmap([({"PER"}, "dog")] * 10, "types") is None
    assert content_heatmap([({"PER"}, "dog"), ({"ORG", "PER"}, "stage")] * 20, "types") is not None


def test_fingerprint_survives_another_size(tmp_path):
    small, large = (Image.open(save_photo(tmp_path / f"{s}.png", 3, s)) for s in (96, 300))
    other = Image.open(save_photo(tmp_path / "other.png", 4, 96))
    assert (fingerprint(small) ^ fingerprint(large)).bit_count() <= 4
    assert (fingerprint(small) ^ fingerprint(other)).bit_count() > 10


def test_photos_are_seen_once_and_a_torn_line_is_seen_again(tmp_path, monkeypatch):
    posts = [post("x", image=save_photo(tmp_path / f"{seed}.png", seed)) for seed in range(3)]
    (tmp_path / "broken.png").write_bytes(b"no photo")
    posts.append(post("y", image=tmp_path / "broken.png"))
    first = photo_facts(posts, tmp_path / "cache")
    assert [fact is None for fact in first.values()] == [False, False, False, True]
    assert all(len(fact.classes) == 5 and 0 < fact.brightness < 1 for fact in first.values() if fact)

    file = tmp_path / "cache" / "photos-1.jsonl"
    lines = file.read_text().splitlines()
    file.write_text(lines[0] + "\n" + lines[1] + "\n" + lines[2][:30])
    assert photo_facts(posts, tmp_path / "cache") == first
    assert [json.loads(line) for line in file.read_text().splitlines()[3:]] == [json.loads(lines[2])]

    monkeypatch.setattr(analyse_photos, "_Classifier", lambda: pytest.fail("all photos are known"))
    assert photo_facts(posts[:3], tmp_path / "cache") == {p.image: first[p.image] for p in posts[:3]}


def test_the_page_is_whole_and_hostile_text_stays_text(tmp_path):
    data = write_data(tmp_path / "data", posts=30)
    for split in ("train", "test"):  # one post in both: its text is printed as a leak
        file = data / "twitter2017" / f"{split}.txt"
        words = "\n".join(f"{word}\tO" for word in [*HOSTILE.split(" "), "a", "b", "c"])
        file.write_text(f"IMGID:<b>{split}\n{words}\n\n" + file.read_text())
    images = tmp_path / "images"
    for i in range(4):
        save_photo(images / f"train{i}.jpg", i)
    page = analyse(DataSource(folder=data, images=images), tmp_path / "out", cache=tmp_path / "cache")
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html and "<img src=x" not in html and "<b>" not in html
    assert "&lt;script&gt;" in html and "{{7*7}}" in html
    assert "twitter2015/train.txt" in html  # this dataset is missing: said, not hidden
    assert html.count('src="data:image/') > 12 and "http://" not in html and "https://" not in html
    assert "default-src 'none'" in html


def test_no_dataset_at_all_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no dataset"):
        analyse(DataSource(folder=tmp_path), tmp_path / "out", cache=tmp_path)
