"""Whether a Space could install requirements.txt: on its Python, beside its Gradio, with a torch it runs.

Without a network it reads specifiers and the metadata of the packages that are installed here; with one,
pip itself resolves for the Space's Python and platform (``resolve``).
"""

import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

#: PyTorch versions that ZeroGPU runs, from its documentation; newer patch releases of them count as well.
ZERO_GPU_TORCH = ("2.8.0", "2.9.0", "2.9.1", "2.10.0")


def read_requirements(file: Path) -> tuple[list[Requirement], list[str]]:
    """The requirements of a file, and a sentence for each line that is none."""
    wanted, problems = [], []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return [], [f"{file.name} is missing or not UTF-8 text"]
    for number, line in enumerate(lines, 1):
        text = line.partition(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            problems.append(f"{file.name} line {number} is not a plain requirement: {text[:60]}")
            continue
        if requirement.url:
            problems.append(f"{file.name} line {number} installs from an address, not from the index")
        wanted.append(requirement)
    return wanted, problems


def check_packages(folder: Path, python: str, gradio: str, hardware: str) -> list[str]:
    """A sentence for each requirement that the Space could not meet, as far as this machine can tell."""
    wanted, problems = read_requirements(folder / "requirements.txt")
    for requirement in wanted:
        if requirement.name == "gradio" and not requirement.specifier.contains(gradio):
            problems.append(
                f"requirements.txt asks for {requirement}, but README.md's sdk_version is {gradio}"
            )
        if requirement.name == "torch" and hardware.startswith("zero-"):
            if not any(requirement.specifier.contains(version) for version in ZERO_GPU_TORCH):
                known = ", ".join(ZERO_GPU_TORCH)
                problems.append(f"requirements.txt asks for {requirement}, but ZeroGPU runs torch {known}")
    return problems + _check_installed(wanted, python)


def _check_installed(wanted: Iterable[Requirement], python: str) -> list[str]:
    """Follow the requirements through what is installed here, as the Space's Python would read them.

    What is not installed cannot be followed, and is passed over; versions of the Space may be others.
    """
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0" if python.count(".") == 1 else python,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    problems: list[str] = []
    seen: set[str] = set()
    queue = [(requirement, "requirements.txt") for requirement in wanted]
    while queue:
        requirement, asker = queue.pop()
        extras = requirement.extras or {""}
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        version = Version(found.version)
        if not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{asker} asks for {requirement}, but {version} is what was tried here")
        key = f"{name}[{','.join(sorted(extras))}]"
        if key in seen:
            continue
        seen.add(key)
        if not _allows(
            found.metadata["Requires-Python"] if "Requires-Python" in found.metadata else None, python
        ):
            problems.append(f"{name} {version} does not run on Python {python}")
        for text in found.requires or ():
            inner = Requirement(text)
            if inner.marker is None or any(
                inner.marker.evaluate({**environment, "extra": e}) for e in extras
            ):
                inner.marker = None
                queue.append((inner, f"{name} {version}"))
    return sorted(set(problems))


def _allows(specifier: str | None, python: str) -> bool:
    try:
        return specifier is None or SpecifierSet(specifier).contains(python)
    except InvalidSpecifier:
        return False


def resolve(folder: Path, python: str, gradio: str) -> list[str]:
    """Let pip resolve for the Space's Python on Linux, from wheels alone and installing nothing."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += ["--only-binary", ":all:", "--python-version", python, "--target", "unused"]
    for glibc in ("2014", "_2_28", "_2_34"):
        command += ["--platform", f"manylinux{glibc}_x86_64"]
    command += ["-r", str(folder / "requirements.txt"), f"gradio[oauth]=={gradio}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    lines = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    return [f"pip finds no set of packages for Python {python}: {(lines or ['it failed'])[0]}"]
