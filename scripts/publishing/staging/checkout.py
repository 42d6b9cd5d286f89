"""The repository's files that may be staged: those that git tracks, and those that are named; never through a link."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from publishing.errors import StageError

LINK, SUBMODULE = "120000", "160000"  # modes in git's index
CACHES = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".git"}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of git; `modes` has the mode of each file that may be staged, by its path from `root`."""

    root: Path
    modes: Mapping[str, str]

    def tree(self, folder: Path) -> dict[str, Path]:
        """Return the files below `folder` by their path in it, without caches; `StageError` for a link."""
        prefix = f"{self._relative(folder)}/"
        names = sorted(path.removeprefix(prefix) for path in self.modes if path.startswith(prefix))
        names = [name for name in names if CACHES.isdisjoint(name.split("/"))]
        # A file that was deleted, but not yet in git, is none.
        return {name: path for name in names if os.path.isfile(path := self._check(f"{prefix}{name}"))}  # noqa: PTH113

    def file(self, path: Path) -> Path:
        """Return a file; `StageError` if git doesn't track it, or if it is a link."""
        relative_path = self._relative(path)
        if relative_path not in self.modes:
            raise StageError(
                f"{relative_path} isn't tracked by git, so it isn't published.",
                f"Add it: git add {relative_path}. Or name it: --include {relative_path}",
            )
        return self._check(relative_path)

    def untracked(self, folder: Path) -> list[str]:
        """Return the files below `folder` that git neither tracks nor ignores, by their path from `root`."""
        listing = run_git(
            self.root, "ls-files", "-z", "--others", "--exclude-standard", "--", f":(literal){self._relative(folder)}"
        )
        return sorted(path for path in listing.stdout.split("\0") if path and path not in self.modes)

    def _check(self, relative_path: str) -> Path:
        if self.modes.get(relative_path) == SUBMODULE:
            raise StageError(f"{relative_path} is a submodule.", "Copy the files that the Space needs from it.")
        # Staging a Space checks 1,400 files. Strings take a fifth of the time of paths. The root itself may be a link.
        root, parts = str(self.root), relative_path.split("/")
        places = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
        links = [each for each in places if self.modes.get(each) == LINK or os.path.islink(f"{root}/{each}")]  # noqa: PTH114
        if links:
            raise StageError(
                f"{links[0]} is a symbolic link: what it points to would be published.",
                "Replace it with a copy of the file or folder, or remove it.",
            )
        return self.root / relative_path

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def open_checkout(root: Path, include: Iterable[str] = ()) -> Checkout:
    """Return the files that git tracks below `root`, and those of `include`, by their path from `root`."""
    try:
        listing = run_git(root, "ls-files", "-z", "--stage")
    except FileNotFoundError as error:
        raise StageError("git isn't installed: it says which files may be published.", "Install git.") from error
    if listing.returncode:
        raise StageError(
            f"{root} isn't a checkout of git, which says which files may be published: {listing.stderr.strip()}",
            "Clone the repository with git, or run git init and git add for the files to publish.",
        )
    modes = {}
    for line in filter(None, listing.stdout.split("\0")):
        description, _, path = line.partition("\t")
        modes[path] = description.partition(" ")[0]
    return Checkout(root, modes | dict.fromkeys((_named_file(root, name) for name in include), "named"))


def run_git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of git in `root`; names of files keep their bytes."""
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=root, capture_output=True, check=False, text=True, encoding="utf-8", errors="surrogateescape"
    )


def _named_file(root: Path, name: str) -> str:
    """Return the path of a named file from `root`."""
    path = Path(os.path.normpath(root / name))
    if not path.is_relative_to(root) or path.is_dir():
        raise StageError(f"{name} isn't a file of the repository.", "Name single files by their path from its root.")
    if not (path.is_file() or path.is_symlink()):
        raise StageError(f"There is no file {name}.", "Name single files by their path from the repository's root.")
    return path.relative_to(root).as_posix()
