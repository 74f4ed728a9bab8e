"""The bench of photos' words counts and times what it reads."""

from tests.bench.photo_words import measure
from tests.photo_words.drawn import sign


def test_figures_of_two_photos(tmp_path):
    for name, text in (("sign", "HERSHEYPARK"), ("blank", "")):
        sign((text, 20, 20), size=(400, 100)).save(tmp_path / f"{name}.png")
    files = sorted(tmp_path.glob("*.png"))
    found = measure(files, tmp_path / "kept")
    assert (found["photos"], found["with_text"], found["with_text_after_the_rules"]) == (2, 1, 1)
    assert found["ms"].keys() == {"ocr", "objects", "look-up", "hash and look-up"}
    assert all(0 < row["median"] <= row["max"] for row in found["ms"].values())
