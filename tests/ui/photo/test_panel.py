"""What stands beside a photo while and after it is read, and what the browser may send back of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmdemo.photo_words.reading import PhotoReading
from mmdemo.types import InputError, PhotoWords
from mmdemo.ui.photo import panel

SIGN = PhotoWords(source="ocr", text="PADRES", score=0.97, box=(0.1, 0.1, 0.5, 0.2))
OWN = PhotoWords(source="described", text="a ball game")


class StandInReader:
    """Knows a photo after it has read it. A photo named "broken" makes it fail."""

    def __init__(self) -> None:
        self.known: dict[str, PhotoReading] = {}

    def kept(self, photo: str) -> PhotoReading | None:
        return self.known.get(photo)

    def read(self, photo: str) -> PhotoReading:
        if "broken" in photo:
            raise InputError("The photo cannot be read.")
        if "crash" in photo:
            raise RuntimeError("secret detail")
        self.known[photo] = PhotoReading(words=(SIGN,))
        return self.known[photo]


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> StandInReader:
    found = StandInReader()
    monkeypatch.setattr(panel, "photo_reader", lambda: found)
    return found


def test_a_new_photo_is_being_read_then_has_its_words_and_is_known_at_once_later() -> None:
    shown = panel.begin("/up/a.jpg", None)
    assert (shown["state"], shown["parts"]) == ("reading", [])
    assert panel.stated(shown, "/up/a.jpg") == ()
    done = panel.finish("/up/a.jpg", shown)
    assert done["state"] == "read" and panel.stated(done, "/up/a.jpg") == (SIGN,)
    assert panel.begin("/up/a.jpg", None) == done
    assert "/up" not in str(done), "the browser need not know where photos lie"


def test_words_of_another_photo_are_nobodys() -> None:
    done = panel.finish("/up/a.jpg", panel.begin("/up/a.jpg", None))
    assert panel.stated(done, "/up/b.jpg") == () == panel.stated(done, None)
    shown = panel.begin("/up/b.jpg", done)
    assert shown["parts"] == []
    skipped = panel.finish("/up/b.jpg", done)
    assert "parts" not in skipped, "a reading that comes late changes nothing"


def test_what_a_person_wrote_stays_while_the_photo_is_read() -> None:
    written = panel._value("none", None, (OWN,))
    assert panel.stated(written, None) == (OWN,) == panel.stated(written, "/up/a.jpg")
    shown = panel.begin("/up/a.jpg", written)
    done = panel.finish("/up/a.jpg", shown)
    assert panel.stated(done, "/up/a.jpg") == (OWN, SIGN)
    assert panel.begin(None, done)["parts"] == [], "it was of the photo that is gone"


@pytest.mark.parametrize(("name", "says"), [("broken", "cannot be read"), ("crash", "uses its pixels")])
def test_a_photo_that_cannot_be_read_for_words_is_still_a_photo(name: str, says: str) -> None:
    done = panel.finish(name, panel.begin(name, None))
    assert done["state"] == "read" and says in done["notes"][0] and "secret" not in str(done)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
PART = st.fixed_dictionaries({}, optional={key: JSON for key in ("source", "text", "score", "box", "by")})


@given(JSON | st.fixed_dictionaries({"parts": st.lists(PART | JSON, max_size=3), "photo": JSON}))
def test_whatever_the_browser_sends_is_words_or_one_sentence(value: object) -> None:
    try:
        words = panel.stated(value, None)
    except InputError:
        return
    assert all(isinstance(one, PhotoWords) for one in words)


def test_a_real_reader_reads_a_real_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mmdemo.photo_words.reader import PhotoReader

    real = PhotoReader(folder=tmp_path / "kept", sources=())
    monkeypatch.setattr(panel, "photo_reader", lambda: real)
    Image.new("RGB", (64, 64), "#336699").save(tmp_path / "a.png")
    shown = panel.begin(str(tmp_path / "a.png"), None)
    assert shown["state"] == "read" and shown["parts"] == []
