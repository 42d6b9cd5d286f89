"""Where files may lie, and how they are there as a whole or not at all, whenever the machine stops."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger(__name__)
# What begins so is half written or half deleted: whoever opens the folder next removes it.
UNFINISHED = ".unfinished-"


def make_folder(folder: Path) -> None:
    """The folder and those above it, each for its owner alone."""
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
    """Write a file, or put it into the place of the old one."""
    unfinished = _unfinished(path)
    try:
        _write(unfinished, data)
        unfinished.replace(path)
    except BaseException:
        delete(unfinished)
        raise
    _sync(path.parent)


def remove(path: Path) -> None:
    """Delete a folder, if there is one; its name is gone first, so that nobody ever sees a part of it."""
    unfinished = _unfinished(path)
    with contextlib.suppress(FileNotFoundError):
        path.replace(unfinished)
        delete(unfinished)


def delete(path: Path) -> None:
    """Delete a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """See to it that the names in a folder outlive a loss of power, where the system can do that."""
    if os.name == "posix":
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def _unfinished(path: Path) -> Path:
    return path.with_name(UNFINISHED + secrets.token_hex(8))


def data_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where visitors' folders lie: SPACEPORT_DATA, or the user's data directory.

    None where that is inside the working or the temporary directory, whose files Gradio may hand out.
    """
    environment = os.environ if environment is None else environment
    if named := environment.get("SPACEPORT_DATA"):
        return Path(named).absolute() / "visitors"
    home = environment.get("XDG_DATA_HOME") or Path(environment.get("HOME") or Path.home()) / ".local" / "share"
    folder = Path(home).resolve() / "spaceport" / "visitors"
    served = (Path.cwd(), Path(tempfile.gettempdir()).resolve())
    if any(folder.is_relative_to(place) for place in served):
        logger.warning("%s may be served to others: documents are kept in memory. Set SPACEPORT_DATA.", folder)
        return None
    return folder


def is_writable(root: Path) -> bool:
    """Whether files can be written under `root`; if not, that is said in the log."""
    try:
        make_folder(root)
        with tempfile.TemporaryFile(dir=root):
            return True
    except OSError as error:
        logger.warning("%s cannot be written (%s): documents are kept in memory.", root, error.strerror or error)
        return False
