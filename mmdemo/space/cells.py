"""A Space whose checkpoints come from the Hub: preloaded while it is built, found by its variables."""

import re
from pathlib import Path, PurePosixPath

from huggingface_hub import HfApi, constants

from mmdemo.cells import hub
from mmdemo.cells.hub import HubRepo
from mmdemo.space.front_matter import read_front_matter
from mmdemo.types import InputError, quoted

#: The checkpoints' folder, which such a Space does without.
FOLDER = "checkpoints"
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
_END = re.compile(r"(\A---\r?\n.*?\r?\n)(---\r?\n)", re.DOTALL)


def read_pin(text: str) -> HubRepo:
    """The repository and commit of ``owner/name@commit``. Raises InputError where it is neither."""
    name, _, revision = text.partition("@")
    return hub.pinned(name, revision)


def variables(repo: HubRepo) -> dict[str, str]:
    """The Space's variables by which the app finds the cells."""
    return {"MMDEMO_HUB_REPO": repo.name, "MMDEMO_HUB_REVISION": repo.revision}


def preload_lines(repo: HubRepo) -> list[str]:
    """Entries of `preload_from_hub`, one for each model's cells: ``owner/name file,file commit``.

    Model cards stay where they are; the app reads none.

    Raises:
        InputError: the Hub has no such repository or commit, does not answer, or holds no checkpoint there.
    """
    held = hub.listing(repo)
    _check_public(repo)
    folders: dict[tuple[str, ...], list[str]] = {}
    for place in map(PurePosixPath, sorted(held)):
        if len(place.parts) > 2 and place.suffix in (".json", ".safetensors"):
            folders.setdefault(place.parent.parts[:3], []).append(str(place))
    if not any(path.endswith("/model.safetensors") for paths in folders.values() for path in paths):
        raise InputError(f"the Hub repository {repo} holds no checkpoint")
    if odd := [path for paths in folders.values() for path in paths if not _PLAIN.fullmatch(path)]:
        raise InputError(
            f"a Space cannot preload {quoted(odd[0])}: give it a name of letters, digits and ._-"
        )
    return [f"{repo.name} {','.join(paths)} {repo.revision}" for paths in folders.values()]


def _check_public(repo: HubRepo) -> None:
    """Raises InputError where only who pushes may read the cells: a Space has no token of theirs."""
    try:
        HfApi(endpoint=constants.ENDPOINT, token=False).model_info(repo.name, revision=repo.revision)
    except Exception as error:  # the client raises httpx's, its own and OSErrors
        raise InputError(f"a Space cannot read {repo.name}: make that repository public first") from error


def preloading(readme: Path, repo: HubRepo) -> bytes:
    """README.md with a front matter that preloads the cells.

    Raises:
        InputError: as `preload_lines`; or it preloads something already.
    """
    text, stated = readme.read_text(encoding="utf-8"), read_front_matter(readme)
    if isinstance(stated, dict) and "preload_from_hub" in stated:
        raise InputError(
            "README.md's front matter has a preload_from_hub of its own: take it out, or --cells"
        )
    block = "preload_from_hub:\n" + "".join(f"  - {line}\n" for line in preload_lines(repo))
    return _END.sub(lambda found: found[1] + block + found[2], text, count=1).encode()
