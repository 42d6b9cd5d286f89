"""Locks that processes with one folder share, such as replicas with one volume: a file, locked by the system.

A process that is killed loses its locks. On a network volume, those of a lost machine are free when the volume's server
gives it up. Where the system has no such locks, only one process may use the folder.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

from backends.stopwatch import now
from rag.library.storage import disk
from rag.library.storage.disk_errors import MISSING

logger = logging.getLogger(__name__)
_PROCESS = "process-"
LOCK_SECONDS, POLL_SECONDS = 10.0, 0.005


def lock_folder(root: Path) -> Path:
    """Return the folder of the locks for the folders in `root`: beside it, because visitors' folders come and go."""
    return root.with_name(f"{root.name}.locks")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock of a file, and hold it during the block; `TimeoutError` if another process hangs with it."""
    disk.make_folder(path.parent)
    deadline = now() + LOCK_SECONDS
    with _open(path) as file:
        while not _lock(file):
            if now() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process has the lock")
            time.sleep(POLL_SECONDS)
        yield


class ProcessMark:
    """A name of this process, by which others with the folder see whether it still lives."""

    def __init__(self, root: Path) -> None:
        self._folder = lock_folder(root)
        disk.make_folder(self._folder)
        self.name = secrets.token_hex(8)
        self._file = self._create()

    def lives(self, name: str) -> bool:
        """Whether another process with this name still runs."""
        if not name or name == self.name or not name.isalnum():
            return False
        return not _is_unlocked(self._folder / f"{_PROCESS}{name}")

    def delete_old(self) -> None:
        """Delete the marks of processes that have ended."""
        for path in self._folder.glob(f"{_PROCESS}*"):
            if path.name != f"{_PROCESS}{self.name}":
                _delete_unlocked(path)

    def close(self) -> None:
        """End the mark, as the end of the process does."""
        self._file.close()
        with contextlib.suppress(OSError):
            (self._folder / f"{_PROCESS}{self.name}").unlink()

    def _create(self) -> IO[bytes]:
        path = self._folder / f"{_PROCESS}{self.name}"
        while True:
            file = _open(path)
            if _lock(file) and path.exists():  # another process could have taken it for an old one before it was locked
                return file
            file.close()


def _open(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "wb")


def _is_unlocked(path: Path) -> bool:
    """Whether no process has the lock of a file, or the file is gone; what can't be opened counts as locked."""
    try:
        with path.open("rb+") as file:
            return _lock(file)
    except MISSING:
        return True
    except OSError:
        return False


def _delete_unlocked(path: Path) -> None:
    """Delete a file whose lock no process has, and hold the lock until that's done: its process may just begin."""
    with contextlib.suppress(OSError), path.open("rb+") as file:
        if _lock(file):
            path.unlink()


def _lock(file: IO[bytes]) -> bool:
    """Lock a file until it's closed; return whether nobody else has it."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        _warn(error.strerror or type(error).__name__)
    return True


@cache
def _warn(reason: str) -> None:
    logger.warning("The folder of visitors has no locks (%s): only one process may use it.", reason)
