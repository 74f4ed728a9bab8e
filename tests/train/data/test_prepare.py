"""``train prepare`` on small folders and on the real data, whose counts data/README.md states."""

import json
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.discovery import find_dataset
from mmdemo.types import InputError
from train.data.prepare import MATTERS, DatasetReport, Report, SplitReport, check
from train.data.prepare_report import render, run

RELATIONS = find_dataset("mnre").relation_labels


CONLL = "IMGID:{n}\nRome\tB-LOC\n{word}\tO\nhttp://t.co/x\tO\n\nIMGID:{n}1\nWater\tI-LOC\n"
MNRE = (
    "{{'token': ['a{n}', 'b'], 'h': {{'pos': [1, 2]}}, 't': {{'pos': [0, 1]}}, "
    "'img_id': '{n}.jpg', 'relation': {r!r}}}\n"
)


#: The datasets that these tests write, and whose traps they know.
WRITTEN = ("twitter2015", "twitter2017", "mnre")


@pytest.fixture(autouse=True)
def written_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another dataset that comes with the program has no files here, and would be missing."""
    monkeypatch.setattr("train.data.source.bundled", lambda: {name: find_dataset(name) for name in WRITTEN})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All of them, two posts or one row a split, no photos."""
    for dataset in WRITTEN:
        (tmp_path / dataset).mkdir()
    for number, split in enumerate(("train", "valid", "test"), 1):
        for dataset in ("twitter2015", "twitter2017"):
            text = CONLL.format(n=number, word="\ufe0f" if split == "train" else f"w{number}")
            (tmp_path / dataset / f"{split}.txt").write_text(text, encoding="utf-8")
        name = {"valid": "val"}.get(split, split)
        (tmp_path / "mnre" / f"mnre_{name}.txt").write_text(MNRE.format(n=number, r=RELATIONS[number - 1]))
    return tmp_path


def split_of(report: Report, dataset: str, split: str) -> SplitReport:
    return next(s for d in report.datasets if d.dataset == dataset for s in d.splits if s.split == split)


def counts(report: SplitReport | DatasetReport) -> dict[str, int]:
    return {finding.what: finding.count for finding in report.findings}


def test_a_complete_folder_is_ready(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder) == 0
    out = capsys.readouterr().out
    assert "else posts are text only" in out
    assert "train: 2 posts, 2 entities, 0 with a photo" in out
    assert "train: 1 posts, 0 relations other than None" in out
    assert "orphan I- tags: 1 (11 'Water')" in out
    assert f"posts without a photo: {MATTERS['posts without a photo']}." in out
    assert "Ready to train" in out


def test_words_of_photos_beside_the_data_are_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By who wrote them; a file that cannot be read stands in the way of training."""
    path = folder / "descriptions" / "mnre.jsonl"
    path.parent.mkdir()
    lines = [{"image_id": str(n), "blip2": "a sign", "owl": ["a wall"] * n} for n in range(3)]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert run(folder) == 0
    assert "posts with words of their photo: blip2 1, owl 1" in capsys.readouterr().out
    report = check(folder)
    assert split_of(report, "mnre", "train").described == {"blip2": 1, "owl": 1}
    assert split_of(report, "mnre", "test").described == {}
    assert split_of(report, "twitter2015", "train").described == {}
    path.write_text('{"blip2": "of which photo?"}')
    (problem, *_) = next(d for d in check(folder).datasets if d.dataset == "mnre").problems
    assert "mnre.jsonl line 1 has no image_id; this blocks training on mnre" in problem


def test_every_trap_is_counted(folder: Path) -> None:
    report = check(folder)
    assert counts(split_of(report, "twitter2015", "train")) == {
        "posts without a photo": 2,
        "orphan I- tags": 1,
        "invisible tokens": 1,
        "URL tokens": 1,
    }
    assert counts(split_of(report, "mnre", "test")) == {
        "posts without a photo": 1,
        "pairs with the tail before the head": 1,
        "pairs whose spans touch or overlap": 1,
        "pairs that end the sentence": 1,
        "relations without a row": 22,
    }
    assert counts(report.datasets[0]) == {  # the post "Water" stands in every split
        "texts in both train and valid": 1,
        "texts in both train and test": 1,
        "texts in both valid and test": 1,
    }
    assert report.datasets[2].findings == ()


def test_photos_are_opened(folder: Path) -> None:
    images = folder / "photos"
    images.mkdir()
    Image.new("RGB", (4, 4)).save(images / "1.jpg")
    (images / "11.jpg").write_bytes(b"broken")
    report = check(folder, images=images)
    train = split_of(report, "twitter2017", "train")
    assert train.photos == 1
    assert train.findings[0].what == "posts with a broken photo"
    assert train.findings[0].first == ("11 (11.jpg)",)
    assert split_of(report, "mnre", "train").photos == 1


def test_stand_ins_in_the_folder_are_taken_by_default(folder: Path) -> None:
    (folder / "standins" / "photos").mkdir(parents=True)
    rows = "dataset,split,image_id,photo\ntwitter2015,train,1,a.png\ntwitter2015,train,11,gone.png\n"
    (folder / "standins" / "pairs.csv").write_text(rows)
    Image.new("RGB", (4, 4)).save(folder / "standins" / "photos" / "a.png")
    report = check(folder)
    assert "caption-matched" in report.photo_source
    train = split_of(report, "twitter2015", "train")
    assert (train.photos, counts(train)["posts with a broken photo"]) == (1, 1)
    assert check(folder, pairs=folder / "standins" / "pairs.csv").datasets == report.datasets


def test_missing_and_bad_files_say_what_they_block(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mnre" / "mnre_test.txt").unlink()
    (folder / "twitter2015" / "train.txt").write_text("IMGID:1\nRome\tB-CITY\n")
    (folder / "twitter2017" / "valid.txt").write_text("\n")
    assert run(folder) == 2
    out = capsys.readouterr().out
    assert "mnre_test.txt cannot be read: No such file or directory; this blocks test figures" in out
    assert "'CITY' (once)" in out and "this blocks training on twitter2015" in out
    assert "valid.txt holds no post; this blocks training on twitter2017" in out
    assert "Something needed is missing" in out


def test_a_missing_folder_is_no_crash(tmp_path: Path) -> None:
    report = check(tmp_path / "gone")
    assert not report.ready
    assert [len(dataset.problems) for dataset in report.datasets] == [3] * len(WRITTEN)
    assert "MISSING" in render(report)


def test_bad_photo_sources_are_the_callers_error(folder: Path) -> None:
    with pytest.raises(InputError, match="not both"):
        check(folder, folder, folder)
    with pytest.raises(InputError, match="image folder .* does not exist"):
        check(folder, images=folder / "gone")


def test_json_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, as_json=True) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["ready"] is True
    assert record["datasets"][0]["splits"][0]["posts"] == 2
    findings = [f for d in record["datasets"] for s in [d, *d["splits"]] for f in s["findings"]]
    assert findings and all(finding["what"] in record["matters"] for finding in findings)


def test_real_data_has_the_counts_of_its_readme(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts only: opening the photos is what `test_photos_are_opened` covers."""
    monkeypatch.setattr("train.data.prepare.load_photo", lambda post: (post.image, None))
    report = check(shared_data)
    assert report.ready

    def total(dataset: str, what: str) -> list[int]:
        return [counts(split_of(report, dataset, split)).get(what, 0) for split in ("train", "valid", "test")]

    assert total("twitter2015", "orphan I- tags") == [186, 53, 135]
    assert total("twitter2017", "orphan I- tags") == [0, 0, 0]
    assert sum(total("twitter2015", "invisible tokens")) == 1
    assert sum(total("twitter2017", "invisible tokens")) == 154
    assert sum(total("twitter2015", "URL tokens")) == 10_786
    assert sum(total("twitter2017", "URL tokens")) == 0
    assert sum(total("mnre", "pairs with the tail before the head")) == 1808
    assert sum(total("mnre", "pairs whose spans touch or overlap")) == 118
    assert sum(total("mnre", "pairs that end the sentence")) == 134
    assert total("mnre", "relations without a row") == [0, 0, 2]
    assert counts(report.datasets[0])["texts in both train and test"] == 4
    assert counts(report.datasets[2])["texts in both train and valid"] == 5
    assert counts(report.datasets[2])["texts in both train and test"] == 2
    assert not any("repeated ids" in counts(split) for dataset in report.datasets for split in dataset.splits)
