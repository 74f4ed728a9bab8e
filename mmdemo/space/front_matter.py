"""README.md's front matter as a Space reads it: is it there, is it right, does it fit the folder?"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

#: The Hub's own lists, from its Spaces configuration reference.
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
HARDWARE = (
    *("cpu-basic", "cpu-upgrade", "zero-a10g", "t4-small", "t4-medium", "l4x1", "l4x4", "l40sx1", "l40sx4"),
    *("l40sx8", "a10g-small", "a10g-large", "a10g-largex2", "a10g-largex4", "a100-large", "h100", "h100x8"),
)
SCOPES = (
    *("email", "read-repos", "write-repos", "manage-repos", "inference-api", "read-billing", "jobs"),
    *("contribute-repos", "webhooks", "read-collections", "write-collections", "write-discussions"),
)
REPO = re.compile(r"[\w.-]+/[\w.-]+")


def read_front_matter(readme: Path) -> dict[str, Any] | str:
    """Its keys and values, or a sentence that says why there are none."""
    try:
        text = readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "README.md is missing or not UTF-8 text"
    match = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", text, re.DOTALL)
    if not match:
        return "README.md has no front matter: a Space needs it between two lines of ---, at the very top"
    try:
        values = yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        return f"README.md's front matter is not YAML: {str(error).splitlines()[0]}"
    return values if isinstance(values, dict) else "README.md's front matter names no keys"


def check_front_matter(folder: Path) -> list[str]:
    """A sentence for each thing that a Space would refuse or misread."""
    values = read_front_matter(folder / "README.md")
    if isinstance(values, str):
        return [values]
    problems = [f"README.md's front matter lacks {key}" for key in REQUIRED if key not in values]
    for key, value in values.items():
        rule = RULES.get(key)
        if rule is None:
            problems.append(f"README.md's front matter has {key!r}, which Spaces do not know")
        elif not rule[0](value):
            problems.append(f"README.md's front matter has {key}: {value!r}, but it must be {rule[1]}")
    app = values.get("app_file")
    if isinstance(app, str) and not (folder / app).is_file():
        problems.append(f"README.md names the app_file {app}, which is not there")
    return problems


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _among(known: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: value in known


def _repos(value: Any) -> bool:
    """A list of ``owner/name``; `preload_from_hub` may add files and a commit."""
    return isinstance(value, list) and all(_text(v) and REPO.fullmatch(v.split()[0]) for v in value)


def _inside(value: Any) -> bool:
    """A relative path that stays in the folder."""
    return _text(value) and not Path(value).is_absolute() and ".." not in Path(value).parts


Rule = tuple[Callable[[Any], bool], str]

#: Key -> what its value must satisfy, and that in words.
RULES: dict[str, Rule] = {
    "title": (_text, "text"),
    "emoji": (lambda v: _text(v) and not v.isascii() and len(v) <= 8, "one emoji"),
    "colorFrom": (_among(COLOURS), f"one of {', '.join(COLOURS)}"),
    "colorTo": (_among(COLOURS), f"one of {', '.join(COLOURS)}"),
    "short_description": (lambda v: _text(v) and len(v) <= 60, "text of at most 60 characters"),
    "sdk": (_among(("gradio",)), "gradio"),
    "sdk_version": (_matches(r"\d+\.\d+\.\d+"), "a whole version such as 6.31.0"),
    # Quoted: YAML reads 3.10 as the number 3.1.
    "python_version": (_matches(r"3\.\d+(\.\d+)?"), 'quoted text such as "3.12"'),
    "app_file": (_inside, "a path inside the folder"),
    "suggested_hardware": (_among(HARDWARE), "a hardware that Spaces have"),
    "startup_duration_timeout": (_matches(r"[1-9]\d*(m|h)"), "minutes or hours such as 30m"),
    "hf_oauth": (lambda v: isinstance(v, bool), "true or false"),
    "hf_oauth_scopes": (
        lambda v: isinstance(v, list) and all(scope in SCOPES for scope in v),
        "a list of scopes (openid and profile are always there)",
    ),
    "hf_oauth_expiration_minutes": (lambda v: type(v) is int and 0 < v <= 43_200, "1 to 43200 minutes"),
    "models": (_repos, "a list of owner/name"),
    "datasets": (_repos, "a list of owner/name"),
    "preload_from_hub": (_repos, "a list of owner/name, perhaps with files and a commit"),
    "tags": (lambda v: isinstance(v, list) and all(map(_text, v)), "a list of words"),
    "license": (_matches(r"[a-z0-9.-]+"), "a licence's identifier such as apache-2.0"),
    "pinned": (lambda v: isinstance(v, bool), "true or false"),
    "disable_embedding": (lambda v: isinstance(v, bool), "true or false"),
    "thumbnail": (_text, "an address"),
}
REQUIRED = ("title", "sdk", "sdk_version", "python_version", "app_file", "license")
