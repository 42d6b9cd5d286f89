"""Stages a Space in a folder of its own: the app, its imports, exact requirements, licence and source link."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from publishing.errors import StageError
from publishing.staging import dockerfile, front_matter, requirements
from publishing.staging.app_files import app_files
from publishing.staging.checkout import Checkout, open_checkout, run_git

GENERATED = ("requirements.txt", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class StagedSpace:
    """A Space before it is sent: its folder, its files by relative path, its front matter.

    `left_out` are the files in the app's folder that git neither tracks nor ignores. `question` is one that its
    documents answer, for a test; without it, the app's own. A trial sets the `variables`.
    """

    name: str
    folder: Path
    files: dict[str, Path]
    front_matter: dict[str, Any]
    left_out: tuple[str, ...] = ()
    question: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def stage(
    root: Path, name: str, folder: Path, *, hardware: str = "cpu-basic", include: Sequence[str] = ()
) -> StagedSpace:
    """Stage `spaces/name` of the repository at `root` in `folder`, which is emptied first.

    Only files that git tracks are staged, and those of `include`: paths from `root`, in a folder that is staged.
    """
    app = root / "spaces" / name
    if not (app / "app.py").is_file():
        raise StageError(f"There is no Space {name!r}.", f"Choose one of: {', '.join(space_names(root))}.")
    checkout = open_checkout(root, include)
    checkout.file(app / "app.py")
    zero_gpu = hardware.startswith("zero")
    readme = checkout.file(app / "README.md").read_text(encoding="utf-8")
    if zero_gpu:
        readme = front_matter.for_zero_gpu(readme)
    values = front_matter.parse(readme)
    sources = {**app_files(checkout, app), **checkout.tree(app)}
    _check_included(root, include, sources)
    shutil.rmtree(folder, ignore_errors=True)
    for relative_path, source in sources.items():
        if relative_path not in GENERATED:
            _copy(source, folder / relative_path)
    lock = root / "constraints.txt"
    python = ".".join(_python_version(values, app).split(".")[:2])
    unpinned = checkout.file(app / "requirements.txt").read_text(encoding="utf-8")
    pinned = requirements.pin_requirements(
        unpinned, lock, python=python, zero_gpu=zero_gpu, gradio=values.get("sdk") == "gradio"
    )
    _write(folder / "requirements.txt", pinned)
    _write(folder / "README.md", readme + _source_link(root, name))
    _copy(checkout.file(root / "LICENSE"), folder / "LICENSE")
    files = _files_below(folder)
    _check(values, files, requirements.lock_version("gradio", lock), zero_gpu)
    return StagedSpace(name, folder, files, values, tuple(checkout.untracked(app)))


def space_sdk(root: Path, name: str) -> str:
    """Return the sdk in the README of a Space; "" if it has none, which `stage` reports."""
    readme = root / "spaces" / name / "README.md"
    return str(front_matter.parse(readme.read_text(encoding="utf-8")).get("sdk", "")) if readme.is_file() else ""


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
    diff = run_git(root, "diff", "--name-only", "--end-of-options", since, "HEAD")
    if diff.returncode:
        raise StageError(f"git knows no {since!r}: {diff.stderr.strip()}", "Name a commit, or fetch its history.")
    changed = {(root / line).resolve() for line in diff.stdout.splitlines()}
    checkout = open_checkout(root)
    return [name for name in space_names(root) if _is_changed(checkout, root / "spaces" / name, changed)]


def _is_changed(checkout: Checkout, app: Path, changed: set[Path]) -> bool:
    common = {checkout.root / "constraints.txt", checkout.root / "LICENSE"}
    files = {*app_files(checkout, app).values(), *checkout.tree(app).values(), *common}
    # A deleted file isn't in `files`, but its path is below the app's folder.
    return any(app.resolve() in path.parents for path in changed) or bool(changed & {path.resolve() for path in files})


def _check_included(root: Path, include: Sequence[str], sources: dict[str, Path]) -> None:
    for name in include:
        if Path(os.path.normpath(root / name)) not in sources.values():
            raise StageError(f"{name} isn't in a folder of the Space.", "Copy it into the app's folder.")


def _files_below(folder: Path) -> dict[str, Path]:
    """Return every file and link below `folder` by its relative path."""
    paths = sorted(folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): path for path in paths if path.is_symlink() or path.is_file()}


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
    remote = run_git(root, "remote", "get-url", "origin").stdout.strip()
    match = re.fullmatch(r"(?:https://(?:[^@/]+@)?|git@)([\w.-]+)[:/]([\w./-]+?)(?:\.git)?", remote)
    return f"https://{match[1]}/{match[2]}" if match else ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # If the source has become a link by now, the link is copied, and check_content refuses it.
    shutil.copyfile(source, target, follow_symlinks=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
