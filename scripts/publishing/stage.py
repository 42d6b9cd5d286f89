"""Lays a Space out by itself: the app, what it imports of the repository, exact requirements, licence and source."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from publishing import dockerfile, front_matter, requirements
from publishing.closure import closure, tree
from publishing.errors import StageError

WRITTEN = ("requirements.txt", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class Staged:
    """A Space as it will be: its folder, its files by relative path, its front matter."""

    name: str
    folder: Path
    files: dict[str, Path]
    front_matter: dict[str, Any]


def stage(root: Path, name: str, folder: Path, *, hardware: str = "cpu-basic") -> Staged:
    """Lay `spaces/name` of the repository at `root` out in `folder`, which is emptied before."""
    app = root / "spaces" / name
    if not (app / "app.py").is_file():
        raise StageError(f"There is no Space {name!r}.", f"There are: {', '.join(names(root))}.")
    zero_gpu = hardware.startswith("zero")
    readme = (app / "README.md").read_text(encoding="utf-8")
    if zero_gpu:
        readme = front_matter.for_zero_gpu(readme)
    values = front_matter.parse(readme)
    files = {**closure(root, app).files, **tree(app)}
    shutil.rmtree(folder, ignore_errors=True)
    for place, source in files.items():
        if place not in WRITTEN:
            _copy(source, folder / place)
    lock = root / "constraints.txt"
    python = ".".join(_python(values, app).split(".")[:2])
    asked = (app / "requirements.txt").read_text(encoding="utf-8")
    _write(folder / "requirements.txt", requirements.pinned(asked, lock, python=python, zero_gpu=zero_gpu))
    _write(folder / "README.md", readme + _source(root, name))
    _copy(root / "LICENSE", folder / "LICENSE")
    laid = tree(folder)
    _check(values, laid, requirements.version("gradio", lock), zero_gpu)
    return Staged(name, folder, laid, values)


def names(root: Path) -> list[str]:
    """The Spaces of the repository."""
    return sorted(path.parent.name for path in (root / "spaces").glob("*/app.py"))


def changed(root: Path, since: str) -> list[str]:
    """The Spaces whose files changed since a commit: the app's own, or what they import.

    A commit of zeros is GitHub's word for a branch that is new: then all of them did.
    """
    if since and not since.strip("0"):
        return names(root)
    told = subprocess.run(  # git, with a revision that it checks itself
        ["git", "diff", "--name-only", "--end-of-options", since, "HEAD"],  # noqa: S607
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if told.returncode:
        raise StageError(f"git knows no {since!r}: {told.stderr.strip()}", "Name a commit, or fetch its history.")
    paths = {(root / line).resolve() for line in told.stdout.splitlines()}
    common = {root / "constraints.txt", root / "LICENSE"}
    found = []
    for name in names(root):
        app = root / "spaces" / name
        own = set(closure(root, app).files.values()) | set(tree(app).values()) | common
        gone = any(app.resolve() in path.parents for path in paths)
        if gone or paths & {path.resolve() for path in own}:
            found.append(name)
    return found


def _python(values: dict[str, Any], app: Path) -> str:
    """The version that the Space's packages are for: a Docker Space has that of its own image."""
    own = app / "Dockerfile"
    if values.get("sdk") == "docker" and own.is_file():
        return dockerfile.parse(own.read_text(encoding="utf-8")).python or "3.10"
    return str(values.get("python_version", "3.10"))


def _check(values: dict[str, Any], files: dict[str, Path], gradio: str | None, zero_gpu: bool) -> None:
    wrong = front_matter.check(values, set(files), gradio=gradio, zero_gpu=zero_gpu)
    if values.get("sdk") == "docker" and "Dockerfile" in files:
        wrong += dockerfile.check(values, dockerfile.parse(files["Dockerfile"].read_text(encoding="utf-8")))
    if any(place.startswith("spaces/") for place in files):
        wrong.append("a folder spaces/ would hide the package of that name.")
    if wrong:
        raise StageError("The Space is not in order: " + " ".join(wrong), "Correct its README.md or its Dockerfile.")


def _source(root: Path, name: str) -> str:
    address = _repository(root)
    place = f"spaces/{name}"
    where = f"[its repository]({address}/tree/main/{place})" if address else f"its repository, under {place}"
    return f"\n---\nPublished from {where}; changes are made there.\n"


def _repository(root: Path) -> str:
    """The address of the repository for people, without a user or a token; empty if it has none."""
    if repository := os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
    told = subprocess.run(  # the one remote that others can read
        ["git", "remote", "get-url", "origin"],  # noqa: S607
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.fullmatch(r"(?:https://(?:[^@/]+@)?|git@)([\w.-]+)[:/]([\w./-]+?)(?:\.git)?", told.stdout.strip())
    return f"https://{found[1]}/{found[2]}" if found else ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
