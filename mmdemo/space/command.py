"""``python -m mmdemo space``: check a folder before it becomes a Hugging Face Space, and push it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mmdemo.cells.hub import HubRepo
from mmdemo.space.cells import FOLDER, preloading, read_pin, variables
from mmdemo.space.contents import check_contents, files_of
from mmdemo.space.front_matter import check_front_matter, read_front_matter
from mmdemo.space.packages import check_packages
from mmdemo.space.packages import resolve as resolve_packages
from mmdemo.terminal import say
from mmdemo.types import InputError


@dataclass(frozen=True, kw_only=True)
class Report:
    """What would be pushed, and a sentence for each reason not to."""

    files: tuple[Path, ...]
    size: int
    problems: tuple[str, ...]


def space(
    check: Annotated[Path | None, typer.Option(help="Folder to check.")] = None,
    push: Annotated[
        str | None, typer.Option(help="owner/name of the Space to push the folder to, once it passes.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder to push.", show_default="the one checked, else .")
    ] = None,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Also let pip resolve for the Space's Python (needs a network).")
    ] = False,
    private: Annotated[bool, typer.Option(help="A Space that only you see, if it is made now.")] = True,
    cells: Annotated[
        str | None,
        typer.Option(
            help="owner/name@commit of a public model repository that `train push` made: the Space preloads "
            "its checkpoints, and those here stay here."
        ),
    ] = None,
) -> None:
    """Verify a folder as a Space: front matter, sizes, secrets, pickles, requirements; and push it.

    The Space then holds the files that were pushed and no others; its history keeps what it held before.

    Example: python -m mmdemo space --check .

    Example: python -m mmdemo space --push me/mmdemo

    Example: python -m mmdemo space --push me/mmdemo --cells me/mmdemo-lite@0123…
    """
    if check is None and push is None:
        raise InputError("say what to do: --check FOLDER, or --push owner/name")
    if cells and push is None:
        raise InputError("--cells says what a pushed Space preloads: give --push owner/name too")
    if check and folder and check.resolve() != folder.resolve():
        raise InputError(f"--check {check} and --folder {folder} differ: what is checked is what is pushed")
    source = read_pin(cells) if cells else None
    place = check or folder or Path(".")
    report = check_folder(place, resolve, without=FOLDER if source else None)
    for problem in report.problems:
        say(f"- {problem}")
    if report.problems:
        raise InputError(f"{place} is not ready for a Space: {len(report.problems)} problems")
    say(f"ready: {len(report.files)} files, {report.size / 2**20:.1f} MB")
    if push is not None:
        say(push_folder(place, report, push, private, source))


def check_folder(folder: Path, resolve: bool = False, without: str | None = None) -> Report:
    """All checks of a folder but for a part that stays here. Raises InputError where there is none."""
    files = [path for path in files_of(folder) if path.parts[0] != without]
    problems = check_front_matter(folder) + check_contents(folder, files)
    values = read_front_matter(folder / "README.md")
    if isinstance(values, dict):
        python, gradio = str(values.get("python_version", "3.10")), str(values.get("sdk_version", "0"))
        problems += check_packages(folder, python, gradio, str(values.get("suggested_hardware", "")))
        if resolve:
            problems += resolve_packages(folder, python, gradio)
    size = sum((folder / path).stat().st_size for path in files if (folder / path).is_file())
    return Report(files=tuple(files), size=size, problems=tuple(problems))


def push_folder(folder: Path, report: Report, repo: str, private: bool, cells: HubRepo | None = None) -> str:
    """Make the Space if need be and commit the report's files as all that it holds; its address.

    With ``cells`` the Space is told where on the Hub its checkpoints are; the report should have none.

    Raises:
        InputError: the Hub refuses or does not answer, or has no such cells.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants

    api = HfApi(endpoint=constants.ENDPOINT)
    content: dict[str, str | bytes] = {path.as_posix(): str(folder / path) for path in report.files}
    if cells:
        content["README.md"] = preloading(folder / "README.md", cells)
    try:
        made = api.create_repo(repo, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
        there = set(api.list_repo_files(repo, repo_type="space")) - content.keys() - {".gitattributes"}
        api.create_commit(
            repo,
            [CommitOperationAdd(path_in_repo=p, path_or_fileobj=file) for p, file in content.items()]
            + [CommitOperationDelete(path_in_repo=path) for path in sorted(there)],
            repo_type="space",
            commit_message="Update the app",
        )
        for key, value in variables(cells).items() if cells else ():  # after the files that need them
            api.add_space_variable(repo, key, value)
    except Exception as error:  # the client raises httpx's, its own, ValueError for a bad name
        line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise InputError(f"the Hub did not take {repo}: {line}") from error
    return str(made)
