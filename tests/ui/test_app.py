"""app.py as a whole, in a process of its own: Gradio leaves event loops open, which our tests call errors."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import json, app
print(json.dumps({"api": app.demo.get_api_info(), "analytics": app.demo.analytics_enabled}))
"""


def test_the_page_builds_and_offers_four_stable_endpoints():
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    page = json.loads(done.stdout.splitlines()[-1])
    assert page["analytics"] is False
    assert set(page["api"]["named_endpoints"]) == {"/predict", "/compare", "/explain", "/review_export"}
    names = [p["parameter_name"] for p in page["api"]["named_endpoints"]["/predict"]["parameters"]]
    assert names == ["dataset", "model", "fusion", "text", "photo", "preset"]


def test_gradio_writes_no_stubs_beside_our_sources():
    assert not list((ROOT / "mmdemo").rglob("*.pyi"))


def test_app_only_builds_and_launches():
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) < 40
