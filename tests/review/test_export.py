"""From files into a queue, through decisions, out again, and back as corrections."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.formats import conll, jsonl
from mmdemo.formats.given.photos import Photos
from mmdemo.formats.reading import read_posts, read_split
from mmdemo.formats.table import FORMATS
from mmdemo.review.export import Unfit, apply_corrections, as_question, export
from mmdemo.review.records import Answer, Suggestion
from mmdemo.review.store import posts as store_posts
from mmdemo.review.store.reviews import Store
from mmdemo.types import Entity, InputError, Pair
from tests.review.conftest import OTHERS, PAIRS, TWEETS, question, stating, tweets

PERSON = {"start": 0, "end": 2, "label": "PER"}
NESTED = {"start": 1, "end": 2, "label": "ORG"}
ANN = Entity(start=0, end=2, label="PER", score=0.75)


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> Store:
    """A store in ``tmp_path`` with a queue of four posts; three are decided, one of them rejected."""
    (tmp_path / "r.sqlite3").write_bytes(template.read_bytes())
    store = Store(f"sqlite:///{tmp_path / 'r.sqlite3'}", tmp_path / "photos")
    store.make_queue("q", TWEETS)
    store.add("q", tweets(4))
    for review, answer in zip(store.page("q", "Ann").reviews, ([PERSON], [], [NESTED]), strict=False):
        store.decide("q", review.key, "Ann", {"entities": answer}, version=0, reject=not answer)
    return store


def photo(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.new("RGB", (8, 8), colour).save(path)
    return path


# ---------------------------------------------------------------- out


def test_an_export_holds_what_was_decided(desk: Store, tmp_path: Path) -> None:
    done = export(desk, "q", tmp_path / "out.txt", "conll")
    assert (done.posts, done.rejected, done.left_out) == (2, 1, {})
    posts = [row.post for row in conll.FORMAT.read(tmp_path / "out.txt")]
    assert [post.id for post in posts] == ["p0", "p2"]
    assert [(e.start, e.label) for post in posts for e in post.entities or ()] == [(0, "PER"), (1, "ORG")]


def test_what_does_not_fit_is_listed_and_nothing_is_written(desk: Store, tmp_path: Path) -> None:
    review = desk.page("q", "Ann").reviews[0]
    desk.decide("q", review.key, "Ann", {"entities": [PERSON, NESTED]}, version=1)
    with pytest.raises(Unfit, match="the format conll cannot hold 1 post: 'p0'") as caught:
        export(desk, "q", tmp_path / "out.txt", "conll")
    assert set(caught.value.problems) == {"p0"} and not (tmp_path / "out.txt").exists()
    done = export(desk, "q", tmp_path / "out.txt", "conll", skip=True)
    assert (done.posts, done.left_out) == (2, {}) and done.reduced == {"p0": "1 entity that shares words"}
    (first, _) = conll.FORMAT.read(tmp_path / "out.txt")
    assert [(e.start, e.end, e.label) for e in first.post.entities or ()] == [(0, 2, "PER")], "the longer one"


def test_who_decided_goes_out_and_comes_back(desk: Store, tmp_path: Path) -> None:
    desk.make_queue("r", TWEETS)
    desk.add("r", tweets(2))
    proposed = Suggestion(answer=Answer(entities=(ANN,)), checkpoint="a-cell")
    desk.suggest([(review.key, proposed) for review in desk.page("r", "Ann").reviews])
    for review in desk.page("r", "Ann").reviews:
        desk.decide("r", review.key, "Ann", review.answer, version=0)
    done = export(desk, "r", tmp_path / "out.jsonl", "jsonl", decisions=True)
    (row, _) = jsonl.FORMAT.read(tmp_path / "out.jsonl")
    (one,) = row.decided
    assert (one.by, one.verdict, one.checkpoint, one.score) == ("Ann", "accepted", "a-cell", 0.75)
    assert one.at.startswith("20") and (row.post.entities or ())[0].score == 0.75 and done.lacking == ()
    done = export(desk, "r", tmp_path / "out.txt", "conll", decisions=True)
    assert done.lacking == (
        "CoNLL does not hold who decided: 2 posts written without",
        "CoNLL does not hold scores: 2 posts written without",
    )
    export(desk, "r", tmp_path / "plain.jsonl", "jsonl")
    assert jsonl.FORMAT.read(tmp_path / "plain.jsonl")[0].decided == ()


def test_both_blind_reviews_go_out_before_what_settled_them(desk: Store, tmp_path: Path) -> None:
    desk.make_queue("r", TWEETS, double=True)
    desk.add("r", tweets(1))
    for name in ("Ann", "Bob"):
        (review,) = desk.page("r", name).reviews
        desk.decide("r", review.key, name, {"entities": [PERSON]}, version=review.version)
    export(desk, "r", tmp_path / "out.jsonl", "jsonl", decisions=True)
    (row,) = jsonl.FORMAT.read(tmp_path / "out.jsonl")
    assert [one.by for one in row.decided] == ["Ann", "Bob"]


def test_corrections_of_two_posts_of_one_photo_find_their_own(desk: Store, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("IMGID:7\nRome\tB-LOC\n\nIMGID:7\nAnn\tO\nsings\tO\n")
    desk.make_queue("p", TWEETS)
    assert desk.add("p", read_posts(tmp_path / "in.txt", "conll", TWEETS), use="accept").added == 2
    export(desk, "p", tmp_path / "out.txt", "conll")
    (tmp_path / "out.txt").write_text((tmp_path / "out.txt").read_text().replace("Ann\tO", "Ann\tB-PER"))
    changed = apply_corrections(desk, "p", read_posts(tmp_path / "out.txt", "conll", TWEETS), "Eve")
    assert len(changed.keys) == 1 and changed.kept == {}
    assert [e.label for e in desk.reviews(changed.keys, "Ann")[0].answer.entities] == ["PER"]


def test_an_export_that_does_not_read_back_is_not_kept(
    desk: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.txt").write_text("what was there")
    less = replace(conll.FORMAT, writer=lambda path, rows, dataset: conll.write(path, rows[:1], dataset))
    monkeypatch.setitem(FORMATS, "conll", less)
    with pytest.raises(InputError, match="does not read back"):
        export(desk, "q", tmp_path / "out.txt", "conll")
    assert (tmp_path / "out.txt").read_text() == "what was there"
    assert not list(tmp_path.glob(".export-*"))


def test_an_undo_during_an_export_hides_no_other_post(desk: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.make_queue("r", TWEETS)
    desk.add("r", tweets(3))
    keys = [review.key for review in desk.page("r", "Ann").reviews]
    for key, name in zip(keys, ("Eve", "Ann", "Ann"), strict=True):
        desk.decide("r", key, name, {}, version=0)
    monkeypatch.setattr(store_posts, "MAX_PAGE", 1)
    reading = desk.decided("r")
    found = [next(reading).key]
    assert desk.undo("r", "Eve").keys == (keys[0],)
    assert [*found, *(review.key for review in reading)] == keys


def test_paths_that_cannot_be_written(desk: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        export(desk, "q", tmp_path / "no" / "out.txt", "conll")
    photo(tmp_path / "full" / "x.png")
    with pytest.raises(InputError, match="new or empty folder"):
        export(desk, "q", tmp_path / "full", "brat")
    (tmp_path / "empty").mkdir()
    assert export(desk, "q", tmp_path / "empty", "brat").posts == 2
    with pytest.raises(InputError, match="no queue"):
        export(desk, "r", tmp_path / "x", "conll")


def test_photos_go_where_training_reads_them(desk: Store, tmp_path: Path) -> None:
    photo(tmp_path / "in" / "17_06.jpg")
    (tmp_path / "in.txt").write_text("IMGID:17_06\nRome\tB-LOC\n")
    items = read_posts(tmp_path / "in.txt", "auto", TWEETS, Photos(folder=tmp_path / "in"))
    desk.make_queue("p", TWEETS)
    desk.add("p", items, use="accept")
    export(desk, "p", tmp_path / "out.jsonl", "jsonl", photos=tmp_path / "pictures")
    (row,) = jsonl.FORMAT.read(tmp_path / "out.jsonl")
    post = row.post
    assert post.image == Path("pictures/17_06.jpg") and (tmp_path / post.image).is_file()


@pytest.mark.parametrize(("form", "dataset"), [("jsonl", "twitter2017"), ("mnre", "mnre")])
def test_two_photos_of_one_name_stay_two(desk: Store, tmp_path: Path, form: str, dataset: str) -> None:
    """Three weeks' uploads, each with a photo1.png: a CSV's photo id is the file's stem."""
    scheme = reviewed_as(find_dataset(dataset))
    desk.make_queue("p", scheme)
    text = "[E1] Ann [/E1] in [E2] Rome [/E2]" if form == "mnre" else "Ann in Rome"
    answer = {"links": [{"head": [0, 1], "tail": [2, 3], "label": "None"}]}
    for week, colour in {"one": "red", "two": "blue", "three": "red"}.items():
        photo(tmp_path / week / "photo1.png", colour)
        (tmp_path / week / f"{week}.csv").write_text(f"text,image\n{text},photo1.png\n")
        desk.add("p", read_posts(tmp_path / week / f"{week}.csv", "csv", scheme))
    for review in desk.page("p", "Ann").reviews:
        desk.decide("p", review.key, "Ann", answer, version=0)
    for again in range(2):
        export(desk, "p", tmp_path / f"out{again}", form, photos=tmp_path / "pictures")
        assert len(list((tmp_path / "pictures").iterdir())) == 2, "an export over an older one adds nothing"
    back = read_posts(tmp_path / "out1", form, scheme, Photos(folder=tmp_path / "pictures"))
    shown = [Image.open(str(item.post.image)).getpixel((0, 0)) for item in back]
    assert shown == [(255, 0, 0), (0, 0, 255), (255, 0, 0)]


def test_a_photo_that_cannot_name_a_file_is_one_posts_problem(desk: Store, tmp_path: Path) -> None:
    desk.make_queue("p", TWEETS)
    image = photo(tmp_path / "a.png")
    one, two = ("2024/05/1", "fine")
    items = [
        stating(replace(item, post=replace(item.post, id=ref, image=image)), Answer())
        for item, ref in zip(tweets(2), (one, two), strict=True)
    ]
    desk.add("p", items, use="accept")
    with pytest.raises(Unfit, match="'2024/05/1': its photo is called '2024/05/1', which cannot name a file"):
        export(desk, "p", tmp_path / "out.jsonl", "jsonl", photos=tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()
    done = export(desk, "p", tmp_path / "out.jsonl", "jsonl", photos=tmp_path / "pictures", skip=True)
    assert done.posts == 1 and set(done.left_out) == {one}
    assert export(desk, "p", tmp_path / "out.jsonl", "jsonl").posts == 2, "without photos it fits"


def test_a_photo_of_a_link_is_a_file_of_the_link_s_name(desk: Store, tmp_path: Path) -> None:
    link = "https://pics.example.org/media/q7.png?name=large"
    (tmp_path / "in.csv").write_text(f"id,text,image\n1,Ann sings,{link}\n")
    desk.make_queue("p", TWEETS)
    desk.add("p", read_posts(tmp_path / "in.csv", "csv", TWEETS))
    photo(tmp_path / "q7.png")
    later = desk.add("p", read_posts(tmp_path / "in.csv", "csv", TWEETS))
    assert later.warnings == ("1 posts that were there without their photo have it now",)
    (review,) = desk.page("p", "Ann").reviews
    desk.decide("p", review.key, "Ann", {}, version=0)
    export(desk, "p", tmp_path / "out.jsonl", "jsonl", photos=tmp_path / "pictures")
    (row,) = jsonl.FORMAT.read(tmp_path / "out.jsonl")
    assert (row.post.image_id, row.post.image) == (link, Path("pictures/q7.png"))


# ---------------------------------------------------------------- corrections


def test_corrections_of_an_export_come_back_by_id(desk: Store, tmp_path: Path) -> None:
    export(desk, "q", tmp_path / "out.json", "label-studio")
    tasks = json.loads((tmp_path / "out.json").read_text())
    tasks[0]["annotations"][0]["result"][0]["value"] |= {"end": 5, "text": "Kevin", "labels": ["ORG"]}
    tasks.append(json.loads(json.dumps(tasks[1])))
    tasks[2]["data"] |= {"id": "unknown"}
    (tmp_path / "out.json").write_text(json.dumps(tasks))
    changed = apply_corrections(desk, "q", read_posts(tmp_path / "out.json", "auto", TWEETS), "Eve")
    first = desk.page("q", "Ann").reviews[0]
    assert changed.keys == (first.key,) and len(changed.kept) == 1
    assert [(e.start, e.end, e.label) for e in first.answer.entities] == [(0, 1, "ORG")]
    assert [event.reviewer for event in desk.history(first.key)] == ["Ann", "Eve"]
    assert desk.undo("q", "Eve").keys == (first.key,)


def test_corrections_with_other_words_are_kept_out(desk: Store) -> None:
    item = as_question(desk.page("q", "Ann").reviews[0])
    other = replace(item, post=replace(item.post, tokens=("other", "words")))
    changed = apply_corrections(desk, "q", [other], "Eve")
    assert changed.keys == () and "other words" in next(iter(changed.kept.values()))


# ---------------------------------------------------------------- in


def test_csv_with_photos(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    with (tmp_path / "posts.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "text", "image"], ["t1", "Kevin visits #Oakland\n=1+1", "a.png"], ["", "Hi there", ""]]
        )
    one, two = (item.post for item in read_posts(tmp_path / "posts.csv", "auto", TWEETS))
    assert (one.id, one.image_id, one.image) == ("t1", "a", tmp_path / "a.png")
    assert one.tokens[:4] == ("Kevin", "visits", "#", "Oakland")
    assert (two.id, two.image) == ("posts:2", None)


def test_the_next_file_of_the_same_name_brings_its_posts(tmp_path: Path, desk: Store) -> None:
    desk.make_queue("c", TWEETS)
    texts = (("Ann in Rome", "Bob in Paris"), ("Ann in Rome", "Cy in Bonn"))
    for week, rows in enumerate(texts):
        path = tmp_path / str(week) / "posts.csv"
        path.parent.mkdir()
        path.write_text("\n".join(["text", *rows]))
        first, again = (desk.add("c", read_posts(path, "auto", TWEETS)) for _ in range(2))
        assert (first.added, first.known, again.added, again.known) == (2 - week, week, 0, 2)
        assert again.warnings == (), "nothing new to say of it"
    (warning,) = first.warnings
    assert "ids of 1 posts were other posts' already" in warning and "'posts:2' as 'posts:2-" in warning
    refs = {review.post.text: review.post.id for review in desk.page("c", "Ann").reviews}
    assert list(refs) == ["Ann in Rome", "Bob in Paris", "Cy in Bonn"]
    assert refs["Bob in Paris"] == "posts:2" and refs["Cy in Bonn"] in warning


def test_two_posts_of_one_id_in_a_file_are_both_added(tmp_path: Path, desk: Store) -> None:
    desk.make_queue("c", TWEETS)
    (tmp_path / "c.csv").write_text("id,text\n7,Ann in Rome\n7,Bob in Paris\n7,Ann in Rome\n")
    done = desk.add("c", read_posts(tmp_path / "c.csv", "auto", TWEETS), use="accept")
    assert (done.added, done.known, len(done.warnings)) == (2, 1, 1)
    assert desk.add("c", read_posts(tmp_path / "c.csv", "auto", TWEETS)).added == 0


def test_one_text_with_two_questions_is_two_posts(desk: Store) -> None:
    desk.make_queue("m", PAIRS)
    (item,) = tweets(1)
    asked = [Pair(head=(0, 2), tail=(3, 4)), Pair(head=(3, 4), tail=(0, 2))]
    items = [question(item.post, pair) for pair in asked]
    assert desk.add("m", items).added == 2 and desk.add("m", items).added == 0


def test_a_folder_of_photos_with_texts(tmp_path: Path, desk: Store) -> None:
    photo(tmp_path / "in" / "a.jpg")
    photo(tmp_path / "in" / "lonely.jpg")
    (tmp_path / "in" / "a.txt").write_text("[E1] Ann [/E1] in [E2] Rome [/E2]")
    (item,) = read_posts(tmp_path / "in", "auto", PAIRS)
    assert (
        item.ask.relations == (Pair(head=(0, 1), tail=(2, 3)),)
        and item.post.image == tmp_path / "in" / "a.jpg"
        and item.post.id == "a"
    )
    desk.make_queue("m", PAIRS)
    assert desk.add("m", [item]).added == 1
    (review,) = desk.page("m", "Ann").reviews
    assert isinstance(review.post.image, Path) and review.post.image.is_relative_to(tmp_path / "photos")


def test_photos_are_kept_once_by_content_and_only_if_they_are_photos(tmp_path: Path, desk: Store) -> None:
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.jpg").write_bytes((tmp_path / "in" / "a.png").read_bytes())
    (tmp_path / "in" / "c.jpg").write_text("<script>alert(1)</script>")
    for name in "abc":
        (tmp_path / "in" / f"{name}.txt").write_text(f"text {name}")
    desk.make_queue("f", TWEETS)
    done = desk.add("f", read_posts(tmp_path / "in", "folder", TWEETS))
    assert done.added == 3 and len(done.warnings) == 1 and "'c.jpg'" in done.warnings[0]
    (kept,) = (path for path in desk.photos.rglob("*") if path.is_file())
    assert kept.suffix == ".png", "the content names the format"
    assert [review.post.image for review in desk.page("f", "Ann").reviews] == [kept, kept, None]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png"])
def test_a_file_reaches_no_photo_outside_its_folders(tmp_path: Path, name: str) -> None:
    photo(tmp_path / "secret.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.csv").write_text(f"text,image\nhello,{name}\n")
    (tmp_path / "in" / "x.jsonl").write_text(json.dumps({"text": "a", "tokens": ["a"], "image": name}))
    for file in ("x.csv", "x.jsonl"):
        with pytest.raises(InputError, match="outside its folders"):
            read_posts(tmp_path / "in" / file, "auto", TWEETS)


@pytest.mark.parametrize(
    ("file", "content", "dataset", "says"),
    [
        ("x.csv", "colour\nhello", "twitter2017", "must name the columns text"),
        ("x.csv", 'text\n"hello', "twitter2017", "not readable csv"),
        ("x.csv", "text\n\ufe0f", "twitter2017", "line 2: the text is empty"),
        ("x.csv", "text\n[E1] a [/E1]", "mnre", "line 2: .*missing"),
        ("x.csv", "text\n[E1] a [/E1]", "twitter2015", "ask for a relation"),
        ("x.docx", "", "mnre", "is not clear"),
        ("x.json", "[1]", "twitter2017", "line 1 is not a JSON object"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, file: str, content: str, dataset: str, says: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=says):
        read_posts(tmp_path / file, "auto", find_dataset(dataset))


def test_real_rows_go_in_and_come_out_alike(shared_data: Path, desk: Store, tmp_path: Path) -> None:
    """50 MNRE rows with their photos, and tweets of Twitter2015 with their orphan tags."""
    rows = read_posts(
        shared_data / "real_pairs" / "mnre.jsonl",
        "auto",
        PAIRS,
        Photos(folder=shared_data / "real_pairs" / "photos"),
    )
    desk.make_queue("m", PAIRS)
    assert desk.add("m", rows, use="accept").added == 50 and len(list(desk.photos.rglob("*.*"))) == 26
    export(desk, "m", tmp_path / "m.txt", "mnre")
    assert read_posts(tmp_path / "m.txt", "mnre", PAIRS)[0].post.relations == rows[0].post.relations
    desk.make_queue("t", OTHERS)
    tweets15 = read_posts(shared_data / "twitter2015" / "valid.txt", "auto", OTHERS)
    desk.add("t", tweets15[:150], use="accept")
    export(desk, "t", tmp_path / "t.txt", "conll")
    gold = read_split(shared_data, OTHERS, "valid")[:150]
    assert conll.FORMAT.read(tmp_path / "t.txt") == gold and any(row.post.tags for row in gold)
