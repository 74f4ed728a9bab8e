"""``review import`` as a command: what it loads."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from mmdemo.__main__ import main
file, store = sys.argv[1:]
places = ["--dataset", "twitter2017", "--store", f"sqlite:///{store}"]
sys.argv = ["mmdemo", "review", "import", file, "--queue", "q", "--preview", *places]
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


def test_a_preview_does_not_wait_for_torch(tmp_path: Path) -> None:
    """Loading it takes longer than the preview of a file of gigabytes."""
    (tmp_path / "x.txt").write_text("Ola\tB-PER\nleft\tO\n")
    command = [sys.executable, "-c", CODE, tmp_path / "x.txt", tmp_path / "r.sqlite3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "posts: 1, 1 with answers" in done.stdout and "AssertionError" not in done.stderr, done.stderr
