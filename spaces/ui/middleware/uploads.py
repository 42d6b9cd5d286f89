"""The room that uploads use: while they arrive, and until they are used or deleted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from backends import stopwatch
from ui.middleware.request_limits import Refused, RequestLimits, size_text
from ui.middleware.shared_room import SharedRoom

# What is this old and wasn't used may be deleted when there is no room: most uploads are used at once.
UNUSED_SECONDS = 60.0
# A file needs an entry here and a block on the disk, however short it is.
LEAST_FILE_BYTES = 256_000
# Gradio's parser writes into files of this name, and an event leaves an empty one behind.
TEMPORARY, TEMPORARY_SECONDS = "tmp*", 3600.0
CLEAN_SECONDS = 30.0
RETRY_SECONDS = 60
# Gradio has one upload folder for a process, and its events don't know the middleware.
_served: weakref.WeakSet[Uploads] = weakref.WeakSet()


@dataclass(slots=True)
class _Stored:
    address: str
    size: int
    since: float
    used: bool = False


class Uploads:
    """Counts the uploads of each address in Gradio's upload folder; used only on the event loop."""

    def __init__(
        self,
        folder: Path,
        limits: RequestLimits,
        now: Callable[[], float] = stopwatch.now,
        *,
        clean_seconds: float = CLEAN_SECONDS,
    ) -> None:
        """`now` is a clock in seconds."""
        self._now = now
        self._clean_seconds = clean_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._folder = folder
        self._limits = limits
        self._room = SharedRoom(limits.uploads_per_address, limits.uploads)
        self._broken = SharedRoom(limits.broken_uploads_per_address, sys.maxsize)
        self._stored: dict[str, _Stored] = {}
        self._cleaned = self._now()
        self._freed = -1.0
        _served.add(self)

    def refusal(self, address: str) -> Refused | None:
        """Return why the address may not upload now, before anything is read, or None."""
        if self._broken.fits_address(address, 1):
            return None
        message = "Too many uploads from your address broke off or were refused. Try again in a minute."
        return Refused(429, message, retry_seconds=RETRY_SECONDS)

    def receive(self, address: str, size: int) -> None:
        """Count bytes that arrive; raise `Refused` if there is no room for them."""
        if not self._has_room(address, size):
            self._make_room(address, size)
        if not self._room.fits_address(address, size):
            limit = size_text(self._limits.uploads_per_address)
            message = f"Uploads from your address that nobody has used yet fill the {limit} that they may have."
            raise Refused(429, f"{message} Try again in a minute.", retry_seconds=RETRY_SECONDS)
        if not self._room.fits_total(size):
            limit = size_text(self._limits.uploads)
            message = f"All uploads together fill the {limit} that they may have. Try again in a minute."
            raise Refused(429, message, retry_seconds=RETRY_SECONDS)
        self._room.take(address, size)

    def store(self, address: str, response: bytes) -> bytes:
        """Count the files of an upload from now on; return the response, a JSON list of paths, with their new places.

        Each upload gets a folder of its own. Gradio's is named after the content: two visitors who send the same file
        would share it, and the one who is read first would delete that of the other.
        """
        folders: dict[str, str] = {}
        for path in map(Path, _paths(response)):
            if path.exists():  # otherwise it's in the list twice
                name = folders.setdefault(path.parent.name, secrets.token_hex(len(path.parent.name) // 2))
                self._add(address, _move(path, self._folder / name))
        separator = json.dumps(os.sep)[1:-1]  # no name of a file has one
        for old, new in folders.items():  # of the same length, which the head of the response has announced
            response = response.replace(f"{old}{separator}".encode(), f"{new}{separator}".encode())
        return response

    def end(self, address: str, received: int, *, stored: bool) -> None:
        """End a request that has brought these bytes; if no file is stored, they count for another minute."""
        self._room.give_back(address, received)
        if received and not stored:
            self._broken.take(address, received)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._broken.give_back, address, received)
        if self._now() - self._cleaned > self._clean_seconds:
            self.clean()

    def clean_later(self) -> None:
        """Clean in a while, and again until the folder is empty: the last upload leaves something behind, too."""
        if not self._timer:
            self._timer = asyncio.get_running_loop().call_later(self._clean_seconds, self._clean_until_empty)

    def use(self, paths: Iterable[str]) -> None:
        """Mark uploads that an event works with: they stay until it deletes them, even if there is no room."""
        for path in paths:
            if path in self._stored:
                self._stored[path].used = True

    def clean(self) -> None:
        """Forget deleted files; delete what nobody uses, and what Gradio leaves behind."""
        self._cleaned = now = self._now()
        for path, stored in list(self._stored.items()):
            if not stored.used and now - stored.since > self._limits.unused_upload_seconds:
                Path(path).unlink(missing_ok=True)
            if not Path(path).exists():
                self._forget(path)
        for left in self._folder.iterdir() if self._folder.is_dir() else ():
            with contextlib.suppress(OSError):  # a folder with files, or what is deleted already
                self._delete_left_behind(left)

    def _clean_until_empty(self) -> None:
        self._timer = None
        self.clean()
        if self._folder.is_dir() and any(self._folder.iterdir()):
            self.clean_later()

    def _delete_left_behind(self, path: Path) -> None:
        status = path.stat()
        age = stopwatch.wall_clock() - status.st_mtime
        if path.is_dir():
            if age > UNUSED_SECONDS:
                path.rmdir()
        elif path.match(TEMPORARY) and age > (TEMPORARY_SECONDS if status.st_size else UNUSED_SECONDS):
            path.unlink()

    def _has_room(self, address: str, size: int) -> bool:
        return self._room.fits_address(address, size) and self._room.fits_total(size)

    def _make_room(self, address: str, size: int) -> None:
        """Delete unused uploads, the oldest first: of the address if its own room is used up, otherwise of all."""
        now = self._now()
        if now - self._freed < 1.0:  # looking at every file for every refusal would be work for an attacker to cause
            return
        self._freed = now
        self.clean()
        for path, stored in list(self._stored.items()):
            if self._has_room(address, size):
                return
            own = self._room.fits_address(address, size) or stored.address == address
            if own and not stored.used and now - stored.since > UNUSED_SECONDS:
                with contextlib.suppress(OSError):
                    Path(path).unlink()
                self._forget(path)

    def _add(self, address: str, path: Path) -> None:
        size = max(path.stat().st_size, LEAST_FILE_BYTES)
        self._room.take(address, size)
        self._stored[str(path)] = _Stored(address, size, self._now())

    def _forget(self, path: str) -> None:
        if stored := self._stored.pop(path, None):
            self._room.give_back(stored.address, stored.size)


def keep_while_used(paths: Iterable[str]) -> None:
    """Keep these uploads until they are deleted, even if there is no room: an event works with them."""
    for uploads in _served:
        uploads.use(paths)


def _move(path: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    moved = path.replace(folder / path.name)
    with contextlib.suppress(OSError):  # another file of this upload has the same content
        path.parent.rmdir()
    return moved


def _paths(response: bytes) -> list[str]:
    try:
        paths = json.loads(response)
    except ValueError:
        return []
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
