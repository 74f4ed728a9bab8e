"""app.py as a whole, in a process of its own: Gradio leaves event loops open, which our tests call errors."""

import json
import subprocess
from pathlib import Path

from tests import forking

ROOT = Path(__file__).resolve().parents[3]
LOOK = """
import json, app
print(json.dumps({"api": app.demo.get_api_info(), "analytics": app.demo.analytics_enabled}))
"""
VISIT = """
import app
from mmdemo.ui.shell import layout
from mmdemo.ui.shell import sessions

sessions.SESSIONS = 3
app.demo.launch(**layout.launch_settings(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
holder = app.demo.server_app.state_holder
for visitor in range(8):
    holder[f"visitor {visitor}"]
print(len(holder.session_data))
"""


def run(script: str) -> str:
    """The last line that a script prints."""
    command = [forking.python(), "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_page_builds_and_offers_its_stable_endpoints():
    page = json.loads(run(LOOK))
    assert page["analytics"] is False
    stable = {"/predict", "/compare", "/explain", "/review_export", "/extract"}
    assert set(page["api"]["named_endpoints"]) == stable
    names = [p["parameter_name"] for p in page["api"]["named_endpoints"]["/predict"]["parameters"]]
    before = ["dataset", "model", "fusion", "text", "photo", "preset"]
    assert names == [*before, "description", "photo_words"], "by place, what is new stands behind"


def test_memory_is_bounded_however_many_people_come():
    assert run(VISIT) == "3"


def test_gradio_writes_no_stubs_beside_our_sources():
    assert not list((ROOT / "mmdemo").rglob("*.pyi"))


def test_app_only_builds_and_launches():
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) < 40
