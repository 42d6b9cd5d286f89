"""Atomic writes: a file or folder exists completely or not at all, even if the machine stops in the middle."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)
# Paths with this prefix are half written or half deleted; the next process that opens the folder deletes them.
UNFINISHED = ".unfinished-"


def make_folder(folder: Path) -> None:
    """Create a folder and its parents with access for the owner only."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


def write_folder(place: Path, parts: dict[str, bytes]) -> None:
    """Write files by name into a new folder, which appears at its place with all of them."""
    unfinished = _unfinished(place)
    try:
        unfinished.mkdir(mode=0o700)
        for name, data in parts.items():
            _write(unfinished / name, data)
        _sync(unfinished)
        unfinished.replace(place)
    except BaseException:
        delete(unfinished)
        raise
    _sync(place.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write a new file or replace an old one."""
    unfinished = _unfinished(path)
    try:
        _write(unfinished, data)
        unfinished.replace(path)
    except BaseException:
        delete(unfinished)
        raise
    _sync(path.parent)


def append_line(path: Path, line: str) -> None:
    """Append a line to a file with access for the owner only; a line that was cut off before doesn't damage it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
        file.write(f"{line}\n".encode())


def remove(path: Path) -> None:
    """Delete a file or folder if it exists; it is renamed first, so that nobody ever sees a part of it."""
    unfinished = _unfinished(path)
    with contextlib.suppress(FileNotFoundError):
        path.replace(unfinished)
        delete(unfinished)


def delete(path: Path) -> None:
    """Delete a file or folder if it exists, even if another process does so at the same time."""
    while path.is_dir() and not path.is_symlink():
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        flush(file)


def flush(file: IO[bytes]) -> None:
    """Make what was written to a file survive a loss of power."""
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a loss of power, if the operating system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unfinished(path: Path) -> Path:
    return path.with_name(UNFINISHED + secrets.token_hex(8))


def data_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the root of the visitors' folders: in SPACEPORT_DATA, or in the user's data directory.

    Return None if that is inside the working or the temporary directory: Gradio can serve files from there.
    """
    environment = os.environ if environment is None else environment
    if setting := environment.get("SPACEPORT_DATA"):
        return Path(setting).absolute() / "visitors"
    home = environment.get("XDG_DATA_HOME") or Path(environment.get("HOME") or Path.home()) / ".local" / "share"
    folder = Path(home).resolve() / "spaceport" / "visitors"
    served_folders = (Path.cwd(), Path(tempfile.gettempdir()).resolve())
    if any(folder.is_relative_to(served) for served in served_folders):
        logger.warning("Gradio can serve files from %s: documents are stored in memory. Set SPACEPORT_DATA.", folder)
        return None
    return folder


def is_writable(root: Path) -> bool:
    """Return whether files can be written under `root`; log a warning if not."""
    try:
        make_folder(root)
        with tempfile.TemporaryFile(dir=root):
            return True
    except OSError as error:
        logger.warning("Can't write to %s (%s): documents are stored in memory.", root, error.strerror or error)
        return False
