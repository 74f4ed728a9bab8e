"""What a folder would put on the Hub: which files, how large, and that none is a secret or a pickle."""

import re
import subprocess
from pathlib import Path

from mmdemo.types import InputError

#: Never pushed, whatever git says of them: what only developers need, and where secrets and reviews lie.
LEFT_OUT = (".git", ".ci", ".venv", ".gradio", "tests", "runs", "shared", "reviews.photos", "__pycache__")

MAX_FILE = 200 * 2**20
MAX_TOTAL = 2**30  # a Space's repository
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin", ".joblib", ".npy", ".npz", ".dill", ".h5")
SECRET_NAMES = re.compile(
    r"\.env(\..*)?|.*\.(pem|p12|pfx|key|kdbx)|id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.pypirc", re.IGNORECASE
)
SECRETS = (
    ("a Hugging Face token", re.compile(rb"\bhf_[A-Za-z]{30,}")),
    ("a private key", re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a GitHub token", re.compile(rb"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})")),
    ("an AWS key", re.compile(rb"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a Slack token", re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20,}")),
    ("an API key", re.compile(rb"\bsk-[A-Za-z0-9_-]{40,}")),
    (
        "a password in an address",
        re.compile(rb"\b[a-z+]{3,20}://[^\s:/@'\"{}<]+:[^\s:/@'\"{}<]{6,}@[\w.-]+\.\w"),
    ),
)
_PICKLE_START = re.compile(rb"\x80[\x02-\x05](\x95.{8})?[\x80-\x9f(\]})c]", re.DOTALL)


def files_of(folder: Path) -> list[Path]:
    """The files that would be pushed, as paths inside the folder: what git does not ignore, else all.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    if (folder / ".git").exists():
        command = ["git", "-C", str(folder), "ls-files", "-co", "--exclude-standard", "-z"]
        listed = subprocess.run(command, capture_output=True, check=False)
        if listed.returncode == 0:
            found = [Path(name) for name in listed.stdout.decode("utf-8", "replace").split("\0") if name]
            return sorted(p for p in found if (folder / p).exists() and not set(p.parts) & set(LEFT_OUT))
    found = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file() or p.is_symlink()]
    return sorted(p for p in found if not set(p.parts) & set(LEFT_OUT))


def check_contents(folder: Path, files: list[Path]) -> list[str]:
    """A sentence for each file that must not be pushed."""
    problems, total = [], 0
    for path in files:
        file = folder / path
        if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{path} is a link out of the folder")
            continue
        if not file.is_file():
            problems.append(f"{path} is a link to nothing")
            continue
        size = file.stat().st_size
        total += size
        if size > MAX_FILE:
            problems.append(f"{path} has {size / 2**20:.0f} MB; at most {MAX_FILE // 2**20} MB may be pushed")
            continue
        if SECRET_NAMES.fullmatch(path.name):
            problems.append(f"{path} is named like a secret")
        if path.suffix.lower() in PICKLES:
            problems.append(f"{path} may be a pickle; weights belong in safetensors")
        else:
            problems += _check_bytes(path, file.read_bytes())
    if total > MAX_TOTAL:
        problems.append(f"the folder has {total / 2**30:.1f} GB; a Space's repository may have 1 GB")
    return problems


def _check_bytes(path: Path, data: bytes) -> list[str]:
    problems = [f"{path} holds {what}" for what, pattern in SECRETS if pattern.search(data)]
    if data.startswith(b"SQLite format 3\0"):
        problems.append(f"{path} is a database; reviews hold people's names and tweets")
    zipped = data.startswith(b"PK\x03\x04") and b"data.pkl" in data
    if zipped or (_PICKLE_START.match(data) and data.rstrip(b"\n").endswith(b".")):
        problems.append(f"{path} is a pickle, whatever its name says")
    return problems
