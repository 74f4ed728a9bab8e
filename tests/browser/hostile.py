"""Strings that want to be code, as strangers may write them, and a page that tells whether one was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import live

#: Markup, a template literal and the end of a script in the 60 characters of a reviewer's name.
REVIEWER = "<img src=x onerror=window.__xss=1>${window.__xss=1}</script>"
#: The same with the ends of attributes and strings, in the 80 of a queue's.
NAME = REVIEWER + "\"'`"
#: The same and more as words of a post, an id, a figure's name.
TEXT = (
    "<img src=x onerror=window.__xss=1> ${window.__xss=1} </script><script>window.__xss=1</script> "
    "{{constructor.constructor('window.__xss=1')()}} javascript:window.__xss=1 \"onfocus=window.__xss=1 x='`"
)
#: The same as a file's name, which takes no slash.
FILE = "<img src=x onerror=window.__xss=1>${window.__xss=1}'javascript:window.__xss=1"
EXIF = {270: "ImageDescription", 271: "Make", 315: "Artist", 33432: "Copyright", 37510: "UserComment"}

#: Elements that a hostile string has become, as HTML. Not only what ran: a picture may fail to load later.
#: (Gradio's own script holds what the page begins with, as JSON.)
BECAME = """() => [...document.querySelectorAll('*')].filter((e) =>
  (e.tagName === 'SCRIPT' && e.textContent.trim().startsWith('window.__xss')) ||
  [...e.attributes].some((a) =>
    (/^on/.test(a.name) && a.value.includes('__xss')) ||
    (['src', 'href', 'action', 'srcdoc', 'xlink:href'].includes(a.name) &&
      (a.value === 'x' || /^ *javascript:/i.test(a.value))))
).map((e) => e.outerHTML.slice(0, 300))"""


def photo(file: Path) -> Path:
    """A photo that opens, every text in its EXIF hostile."""
    exif = Image.Exif()
    for tag in EXIF:
        exif[tag] = TEXT
    Image.effect_noise((120, 90), 90).convert("RGB").save(file, "JPEG", exif=exif, comment=TEXT)
    return file


@contextmanager
def watched(browser: Browser) -> Iterator[Page]:
    """A page without its Content-Security-Policy, which must not be what stops code: none may be there.

    At the end nothing may have run, no dialog have opened, and no hostile string have become an element.
    """
    page = live.new_page(browser, bypass_csp=True, accept_downloads=True)
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: alarms.append(str(error)))
    try:
        yield page
        untouched(page)
        assert alarms == []
    finally:
        page.context.close()


def untouched(page: Page) -> None:
    """Nothing ran on this page, and nothing hostile stands in it but as text."""
    assert page.evaluate(BECAME) == []
    assert page.evaluate("window.__xss") is None
