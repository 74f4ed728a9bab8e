"""``python -m train push``: cells and their cards to a model repository on the Hugging Face Hub."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

import typer

from mmdemo.cells.card import Card, load_card
from mmdemo.cells.files import file_hash, read_json
from mmdemo.cells.locate import BASE_FILES, CARD_FILES
from mmdemo.cells.pretrained_base import OBJECT_FILES, base_file, base_place
from mmdemo.terminal import say
from mmdemo.types import InputError
from train.publish.model_card import cell_card, root_card


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What goes up: cells' cards, and the content of every file by its path in the repository."""

    cards: tuple[Card, ...]
    files: dict[str, Path | bytes]


def push(
    repo: Annotated[str, typer.Option(help="owner/name on the Hub; made if it is not there.")],
    root: Annotated[Path, typer.Option(help="Checkpoints to push.")] = Path("checkpoints"),
    cells: Annotated[
        list[str] | None, typer.Option(help="Which, as a pattern like 'lite/NAME/*/*'. Repeatable.")
    ] = None,
    private: Annotated[bool, typer.Option(help="A repository that only you see, if it is made now.")] = True,
    cards: Annotated[
        Path | None, typer.Option(help="Write the model cards into this folder instead of pushing.")
    ] = None,
) -> None:
    """Upload cells with their model cards in one commit, and print the commit to pin.

    The token is the one of `hf auth login`, or HF_TOKEN.

    Example: python -m train push --repo me/mmdemo-lite --cells 'lite/NAME/*/*'
    """
    parcel = pack_parcel(root, repo, cells or ["*"])
    if cards is not None:
        for path, content in parcel.files.items():
            if isinstance(content, bytes):
                (cards / path).parent.mkdir(parents=True, exist_ok=True)
                (cards / path).write_bytes(content)
        say(f"{len(parcel.cards) + 1} cards in {cards}")
        return
    commit = upload(parcel, repo, private)
    say(f"export MMDEMO_HUB_REPO={repo} MMDEMO_HUB_REVISION={commit}")


def pack_parcel(root: Path, repo: str, patterns: Sequence[str]) -> Parcel:
    """Collect cells, the trunks and bases that they stand on, and their cards, every file verified.

    Raises:
        InputError: no cell fits the patterns, or one is incomplete or damaged.
    """
    found: list[Card] = []
    files: dict[str, Path | bytes] = {}
    for file in sorted(root.glob("*/*/*/*/config.json")):
        name = file.parent.relative_to(root).as_posix()
        if not any(fnmatch(name, pattern) for pattern in patterns):
            continue
        card = load_card(file.parent)
        if card.config.cell != name:
            raise InputError(f"{file.parent} holds another checkpoint ({card.config.cell})")
        for held, digest in card.files.items():
            if file_hash(file.parent / held) != digest:
                raise InputError(f"the checkpoint file {file.parent / held} is damaged; nothing was pushed")
        for held in (*CARD_FILES, *card.files):
            files[posixpath.normpath(f"{name}/{held}")] = file.parent / held
        files[f"{name}/README.md"] = cell_card(card, repo).encode()
        found.append(card)
    if not found:
        raise InputError(f"no cell in {root} fits {', '.join(patterns)}")
    for place, preset in sorted({(base_place(card.config), card.config.preset) for card in found}):
        objects = [name for name in OBJECT_FILES if (root / place / name).is_file()]
        files |= _base_files(root, place, (*BASE_FILES[preset], *objects))
    files["README.md"] = root_card(found, repo).encode()
    return Parcel(cards=tuple(found), files=files)


def _base_files(root: Path, place: str, names: Sequence[str]) -> dict[str, Path | bytes]:
    """The pretrained encoders in a base folder, checked against base.json where it states their hashes."""
    folder = root / place
    stated = read_json(folder / "base.json")["files"] if "base.json" in names else {}
    files = {name: base_file(folder, name) for name in names}
    for name, file in files.items():
        if name in stated and file_hash(file) != stated[name]:
            raise InputError(f"the checkpoint file {file} is damaged; nothing was pushed")
        if not file.is_file():
            raise InputError(f"the checkpoint file {file} is missing")
    return {file.relative_to(root).as_posix(): file for file in files.values()}


def upload(parcel: Parcel, repo: str, private: bool) -> str:
    """Make the repository if need be and commit the parcel; the commit's id.

    Raises:
        InputError: the Hub refuses or does not answer; nothing is changed then.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, constants

    api = HfApi(endpoint=constants.ENDPOINT)
    names = ", ".join(card.config.cell for card in parcel.cards[:3])
    more = f" and {len(parcel.cards) - 3} more" if len(parcel.cards) > 3 else ""
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        done = api.create_commit(
            repo,
            [
                CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(c) if isinstance(c, Path) else c)
                for path, c in parcel.files.items()
            ],
            commit_message=f"Add {names}{more}",
        )
    except Exception as error:  # the client raises httpx's, its own, ValueError for a bad name
        raise InputError(f"the Hub did not take {repo}: {_first_line(error)}") from error
    return done.oid


def _first_line(error: Exception) -> str:
    """An error of the Hub's client in one sentence; its messages run over several lines."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
