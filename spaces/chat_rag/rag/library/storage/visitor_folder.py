"""The folder of one visitor on disk: its lock, its identity and its end.

Several processes can have one folder: each change is made under a lock, and `identity` tells whether it's the same.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

from rag.library.storage import disk
from rag.library.storage.disk_errors import MISSING, disk_errors
from rag.library.storage.file_locks import lock_folder, locked

IDENTITY, FOLLOWED = "identity", "followed"
Stamp = tuple[int, ...]


class VisitorFolder:
    """The folder of one visitor; safe across threads and processes.

    Only the owner has access: folders are 0700, files 0600. Each folder has an `identity` of its own, so that nothing
    of a visitor whom another process has deleted is written again. `parts` are the folders inside of it.
    """

    def __init__(self, folder: Path, *parts: Path) -> None:
        self.folder = folder
        self._folders = folder, *parts
        self._lock = threading.RLock()
        self._depth = 0
        self._destroyed = False
        self._identity = ""
        with contextlib.suppress(OSError):  # it's read again before anything is written
            self._identity = self._read_identity()

    @property
    def is_gone(self) -> bool:
        """Whether another process has deleted the folder, as far as the disk says."""
        try:
            identity = self._read_identity()
        except OSError:
            return False
        if not self._identity:  # another process may have begun it
            self._identity = identity
        return identity != self._identity

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let no other thread or process change the folder during the block, which may change it itself.

        Raises `DocumentError` if the folder can't be locked.
        """
        with self._lock:
            self._depth += 1
            try:
                with contextlib.ExitStack() as stack:
                    if self._depth == 1:  # one file for many visitors: there are at most 256, and none is ever deleted
                        with disk_errors("Can't lock the folder"):
                            stack.enter_context(locked(lock_folder(self.folder.parent) / self.folder.name[:2]))
                    yield
            finally:
                self._depth -= 1

    def begin(self) -> bool:
        """Prepare to write; return whether the folder is still the visitor's. Another process may have begun it.

        Raises `OSError` if the disk doesn't say.
        """
        identity = self._read_identity()
        if self._destroyed or (self._identity and identity != self._identity):
            self._destroyed = True
            return False
        if not identity:
            identity = secrets.token_hex(8)
            disk.make_folder(self.folder)
            disk.write_file(self.folder / IDENTITY, identity.encode())
        self._identity = identity
        return True

    def total_bytes(self) -> int:
        """Return the size of everything that is stored."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += path.stat().st_size
        return total

    def touch(self, last_seen: float) -> None:
        """Record on disk when the visitor was last seen, as a Unix time; do nothing if nothing is stored."""
        with contextlib.suppress(OSError):
            os.utime(self.folder, (last_seen, last_seen))

    def mark_followed(self) -> None:
        """Let other processes see that a page shows an answer that one of them writes."""
        with contextlib.suppress(OSError):
            (self.folder / FOLLOWED).touch(mode=0o600)

    def followed_stamp(self) -> Stamp | None:
        """Return what changes with each `mark_followed` of any process, None before the first one."""
        with disk_errors("Can't read who follows an answer"):
            return read_stamp(self.folder / FOLLOWED)

    def delete_unfinished(self) -> None:
        """Delete the files that a process left half written when it ended."""
        if not self._unfinished():
            return
        with self.exclusive():  # what another process is writing isn't unfinished
            paths = self._unfinished()
            last_seen = self.folder.stat().st_mtime if paths else 0.0
            for path in paths:
                disk.delete(path)
        if paths:
            self.touch(last_seen)  # otherwise the deletion would count as a visit

    def destroy(self) -> None:
        """Delete everything at once and accept no more documents."""
        with disk_errors("Can't delete the documents"), self.exclusive():
            self._destroyed = True
            disk.remove(self.folder)

    def _unfinished(self) -> list[Path]:
        return [path for folder in self._folders for path in folder.glob(f"{disk.UNFINISHED}*")]

    def _read_identity(self) -> str:
        with contextlib.suppress(*MISSING):
            return (self.folder / IDENTITY).read_text()
        return ""


def read_stamp(path: Path) -> Stamp | None:
    """Return what changes with each change of a file, or None if there is none.

    The file is opened, because that's when NFS asks its server for what other machines have written.
    """
    with contextlib.suppress(*MISSING), path.open("rb") as file:
        status = os.fstat(file.fileno())
        return status.st_ino, status.st_mtime_ns, status.st_size
    return None
