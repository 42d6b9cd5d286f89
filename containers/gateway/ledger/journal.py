"""The ledger's rows on disk until the database has them.

Rows are appended to the file `open.jsonl`. To write them to the database, the file becomes `closed.jsonl`, and an
empty `next.jsonl` takes its place. The closed file is deleted once the database has all its rows. A gateway that was
killed finds its files at its next start; a row that had reached the database already does nothing there the second
time.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from backends import NotConfigured
from backends.text import to_json
from gateway.ledger.row import LedgerRow

logger = logging.getLogger(__name__)


class Journal:
    """The files of one gateway in a folder of its own; `limit` is in bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            message = f"Another gateway uses the journal in {folder}."
            raise NotConfigured(message, "Set SPACEPORT_DATA to a folder of its own.") from error
        self._open, self._next, self._closed, self._unreadable = (
            folder / f"{name}.jsonl" for name in ("open", "next", "closed", "unreadable")
        )
        self._limit = limit
        self._refused: list[bytes] = []  # lines of the closed file that aren't rows, or that the database refused
        self._file = _open_to_append(self._open)
        self._end_last_line()
        self.closed_bytes = self._closed.stat().st_size if self._closed.exists() else 0
        self.open_bytes = os.fstat(self._file).st_size

    @property
    def waiting_bytes(self) -> int:
        """The size of the rows that wait for the database."""
        return self.closed_bytes + self.open_bytes

    @property
    def limit_bytes(self) -> int:
        """How much may wait."""
        return self._limit

    @property
    def is_full(self) -> bool:
        return self.waiting_bytes >= self._limit

    @property
    def is_half_full(self) -> bool:
        return 2 * self.waiting_bytes >= self._limit

    def append(self, row: LedgerRow) -> None:
        """Add a row. It survives the end of the process at once, and a power cut after the next `sync`.

        Raises OSError if the disk has no room for the whole row; nothing of it stays then.
        """
        line = to_json(row.to_json()).encode() + b"\n"
        try:
            if os.write(self._file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(self._file, self.open_bytes)
            raise
        self.open_bytes += len(line)

    def sync(self) -> None:
        """Make the rows survive a power cut. Blocks."""
        os.fsync(self._file)
        if self.closed_bytes:
            with self._closed.open("rb") as file:
                os.fsync(file)

    def close_file(self) -> bool:
        """Begin another file if the open one has rows and none wait in a closed one; return whether it did.

        Raises OSError if the disk refuses; nothing has changed then.
        """
        if self.closed_bytes or not self.open_bytes:
            return False
        # A row that is added after an error must go to the file that is there: the old one stays open until the end.
        file = _open_to_append(self._next)
        try:
            self._rename_files()
        except OSError:
            os.close(file)
            raise
        old, self._file = self._file, file
        self.closed_bytes, self.open_bytes = self.open_bytes, 0
        os.close(old)
        return True

    def closed_rows(self, batch: int) -> Iterator[list[LedgerRow]]:
        """Yield the rows of the closed file in batches; what isn't one is refused. Blocks."""
        rows: list[LedgerRow] = []
        self._refused.clear()
        with self._closed.open("rb") as file:
            for line in file:
                if row := self._read(line):
                    rows.append(row)
                if len(rows) == batch:
                    yield rows
                    rows = []
        if rows:
            yield rows

    def refuse(self, line: bytes) -> None:
        """Note a line that the database will never take."""
        self._refused.append(line.rstrip(b"\n") + b"\n")

    def delete_closed(self) -> None:
        """Delete the closed file: the database has its rows. Refused lines go to a file for a person to look at."""
        if self._refused:
            with self._unreadable.open("ab") as file:
                file.writelines(self._refused)
            fields = {"file": str(self._unreadable), "rows": len(self._refused)}
            logger.error("rows of the ledger can't be written", extra={"fields": fields})
            self._refused.clear()
        self._closed.unlink(missing_ok=True)
        self.closed_bytes = 0

    def close(self) -> None:
        """Close the files; the rows stay."""
        os.close(self._file)
        self._lock.close()

    def _rename_files(self) -> None:
        self._open.replace(self._closed)
        try:
            self._next.replace(self._open)
        except OSError:
            self._closed.replace(self._open)
            raise

    def _read(self, line: bytes) -> LedgerRow | None:
        try:
            return LedgerRow.from_json(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            self.refuse(line)
            return None

    def _end_last_line(self) -> None:
        """End a line that a power cut left incomplete, so that the next row has its own."""
        if os.fstat(self._file).st_size:
            with self._open.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                is_complete = file.read(1) == b"\n"
            if not is_complete:
                os.write(self._file, b"\n")


def _open_to_append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
