"""Stages a Space in a folder of its own: the app, its imports, exact requirements, licence and source link."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from publishing.errors import StageError
from publishing.staging import dockerfile, front_matter, requirements
from publishing.staging.app_files import app_files, tree

GENERATED = ("requirements.txt", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class StagedSpace:
    """A Space before it is sent: its folder, its files by relative path, its front matter."""

    name: str
    folder: Path
    files: dict[str, Path]
    front_matter: dict[str, Any]


def stage(root: Path, name: str, folder: Path, *, hardware: str = "cpu-basic") -> StagedSpace:
    """Stage `spaces/name` of the repository at `root` in `folder`, which is emptied first."""
    app = root / "spaces" / name
    if not (app / "app.py").is_file():
        raise StageError(f"There is no Space {name!r}.", f"Choose one of: {', '.join(space_names(root))}.")
    zero_gpu = hardware.startswith("zero")
    readme = (app / "README.md").read_text(encoding="utf-8")
    if zero_gpu:
        readme = front_matter.for_zero_gpu(readme)
    values = front_matter.parse(readme)
    sources = {**app_files(root, app), **tree(app)}
    shutil.rmtree(folder, ignore_errors=True)
    for relative_path, source in sources.items():
        if relative_path not in GENERATED:
            _copy(source, folder / relative_path)
    lock = root / "constraints.txt"
    python = ".".join(_python_version(values, app).split(".")[:2])
    unpinned = (app / "requirements.txt").read_text(encoding="utf-8")
    pinned = requirements.pin_requirements(unpinned, lock, python=python, zero_gpu=zero_gpu)
    _write(folder / "requirements.txt", pinned)
    _write(folder / "README.md", readme + _source_link(root, name))
    _copy(root / "LICENSE", folder / "LICENSE")
    files = tree(folder)
    _check(values, files, requirements.lock_version("gradio", lock), zero_gpu)
    return StagedSpace(name, folder, files, values)


def space_names(root: Path) -> list[str]:
    """Return the names of the repository's Spaces."""
    return sorted(path.parent.name for path in (root / "spaces").glob("*/app.py"))


def changed_spaces(root: Path, since: str) -> list[str]:
    """Return the Spaces whose files, own or imported, changed since a commit.

    GitHub sends a commit of zeros for a new branch: then every Space counts as changed.
    """
    if since and not since.strip("0"):
        return space_names(root)
    # Git checks the revision.
    diff = _git(root, "diff", "--name-only", "--end-of-options", since, "HEAD")
    if diff.returncode:
        raise StageError(f"git knows no {since!r}: {diff.stderr.strip()}", "Name a commit, or fetch its history.")
    changed = {(root / line).resolve() for line in diff.stdout.splitlines()}
    return [name for name in space_names(root) if _is_changed(root, root / "spaces" / name, changed)]


def _is_changed(root: Path, app: Path, changed: set[Path]) -> bool:
    common = {root / "constraints.txt", root / "LICENSE"}
    files = {*app_files(root, app).values(), *tree(app).values(), *common}
    # A deleted file isn't in `files`, but its path is below the app's folder.
    return any(app.resolve() in path.parents for path in changed) or bool(changed & {path.resolve() for path in files})


def _python_version(values: dict[str, Any], app: Path) -> str:
    """Return the Python version that the packages are for: a Docker Space's image has its own."""
    file = app / "Dockerfile"
    if values.get("sdk") == "docker" and file.is_file():
        return dockerfile.parse(file.read_text(encoding="utf-8")).python or "3.10"
    return str(values.get("python_version", "3.10"))


def _check(values: dict[str, Any], files: dict[str, Path], gradio: str | None, zero_gpu: bool) -> None:
    problems = front_matter.check(values, set(files), gradio=gradio, zero_gpu=zero_gpu)
    if values.get("sdk") == "docker" and "Dockerfile" in files:
        problems += dockerfile.check(values, dockerfile.parse(files["Dockerfile"].read_text(encoding="utf-8")))
    if any(relative_path.startswith("spaces/") for relative_path in files):
        problems.append("a folder spaces/ would hide the package of that name.")
    if problems:
        raise StageError("The Space has problems: " + " ".join(problems), "Fix its README.md or its Dockerfile.")


def _source_link(root: Path, name: str) -> str:
    url = _repository_url(root)
    folder = f"spaces/{name}"
    link = f"[its repository]({url}/tree/main/{folder})" if url else f"its repository, under {folder}"
    return f"\n---\nPublished from {link}. Make changes there.\n"


def _repository_url(root: Path) -> str:
    """Return the repository's web address without a user or a token; empty if it has none."""
    if repository := os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
    remote = _git(root, "remote", "get-url", "origin").stdout.strip()
    match = re.fullmatch(r"(?:https://(?:[^@/]+@)?|git@)([\w.-]+)[:/]([\w./-]+?)(?:\.git)?", remote)
    return f"https://{match[1]}/{match[2]}" if match else ""


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
