"""Writes the ledger in the background: a row is on disk before its answer ends, and in the database soon after."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError

from backends.text import to_json
from gateway.database.connect import BAD_VALUES, away
from gateway.database.store import Store
from gateway.errors import LedgerFull
from gateway.ledger.journal import Journal
from gateway.ledger.row import LedgerRow

logger = logging.getLogger(__name__)

BATCH_ROWS = 500


class Ledger:
    """The journal and its way to the database, every `seconds`; `is_connected` says how the last attempt ended.

    `on_close` is called when all rows so far are written next, `on_written` when the database has them.
    """

    def __init__(
        self,
        journal: Journal,
        store: Store,
        seconds: float,
        *,
        on_close: Callable[[], None] = lambda: None,
        on_written: Callable[[], None] = lambda: None,
    ) -> None:
        self.journal = journal
        self.is_connected = True
        self._seconds = seconds
        self._store = store
        self._on_close, self._on_written = on_close, on_written
        self._unsaved: list[LedgerRow] = []  # the disk had no room for them
        self._has_rows = asyncio.Event()
        self._writing = asyncio.Lock()
        if journal.waiting_bytes:
            self._has_rows.set()

    @property
    def is_empty(self) -> bool:
        """Whether the database has all rows."""
        return not self.journal.waiting_bytes and not self._unsaved

    def check_room(self) -> None:
        """Raise `LedgerFull` if no more rows can wait: answers without a bill are not given."""
        if self.journal.is_full or self._unsaved:
            message = "The ledger has no room: its database is away, or its disk is full."
            raise LedgerFull(message, "Try again when the operator has repaired that.", retry_after=5)

    def add(self, row: LedgerRow) -> None:
        """Add a row; running answers may add theirs even if the journal is full.

        Requests that are refused have half of the journal: those of one client must not take the room of all bills.
        """
        if row.outcome == "refused" and not row.cost and self.journal.is_half_full:
            return
        try:
            self.journal.append(row)
        except OSError as error:
            logger.critical("a bill can't be stored: answers stop", extra={"fields": {"error": str(error)}})
            self._unsaved.append(row)
        self._has_rows.set()

    async def run(self) -> None:
        """Write rows until cancelled."""
        while True:
            await self._has_rows.wait()
            await asyncio.sleep(self._seconds)
            await self._write(self._write_file)

    async def flush(self) -> None:
        """Write all rows that wait; if the database is away, or the journal's disk fails, they stay on disk."""
        await self._write(self._write_all)

    async def _write(self, write: Callable[[], Awaitable[None]]) -> None:
        async with self._writing:
            try:
                await write()
            except (DBAPIError, OSError) as error:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(self.journal.sync)
                self._note(connected=False, error=error)
            else:
                if self.is_empty:
                    self._has_rows.clear()

    async def _write_all(self) -> None:
        self._save()
        while self.journal.waiting_bytes:
            await self._write_file()

    async def _write_file(self) -> None:
        """Write the rows of one file; those that come meanwhile are for the next time."""
        self._save()
        if not self.journal.waiting_bytes:
            return
        if self.journal.close_file() and not self._unsaved:
            self._on_close()
        await asyncio.to_thread(self._write_closed)
        self.journal.delete_closed()
        self._on_written()
        self._note(connected=True)
        self._save()

    def _save(self) -> None:
        """Store the rows for which the disk had no room."""
        with contextlib.suppress(OSError):
            while self._unsaved:
                self.journal.append(self._unsaved[0])
                del self._unsaved[0]

    def _write_closed(self) -> None:
        for rows in self.journal.closed_rows(BATCH_ROWS):
            try:
                self._store.write_rows(rows)
            except BAD_VALUES:
                for row in rows:
                    self._write_one(row)

    def _write_one(self, row: LedgerRow) -> None:
        """Write a row of a batch that the database refused; one bad row must not hold up the others for ever."""
        try:
            self._store.write_rows([row])
        except BAD_VALUES as error:
            logger.error("the database refused a row", extra={"fields": {"reason": str(error)[:300]}})
            self.journal.refuse(to_json(row.to_json()).encode())

    def _note(self, *, connected: bool, error: DBAPIError | OSError | None = None) -> None:
        if connected == self.is_connected:
            return
        self.is_connected = connected
        if error:
            what, reason = "the journal's files can't be used", str(error)
            if isinstance(error, DBAPIError):
                what, reason = "the database is away", str(away(error))
            fields = {"error": reason, "waiting_bytes": self.journal.waiting_bytes}
            logger.error(f"{what}: bills wait on disk", extra={"fields": fields})
        else:
            logger.warning("the database is back: bills are written again")
