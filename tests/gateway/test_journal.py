"""The ledger's rows on disk: torn lines, no room, and two gateways on one folder."""

from __future__ import annotations

import asyncio
import errno
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from backends import NotConfigured
from gateway.billing.budgets import Budgets
from gateway.database.store import Store
from gateway.errors import LedgerFull
from gateway.ledger.journal import Journal
from gateway.ledger.ledger import Ledger
from gateway.ledger.row import LedgerRow
from tests.gateway.servers import ledger_rows, open_store, until
from tests.gateway.test_database import row


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal", 2_000)
    yield journal
    journal.close()


def ids(journal: Journal, batch: int = 500) -> list[str]:
    journal.close_file()
    return [each.id for rows in journal.closed_rows(batch) for each in rows]


def test_rows_come_back_as_they_were(journal: Journal) -> None:
    rows = [row(owner='Zoë, "a"\n'), row(cost=None, first_token_seconds=None)]
    for each in rows:
        journal.append(each)
    journal.close_file()
    assert list(journal.closed_rows(1)) == [[rows[0]], [rows[1]]]
    journal.append(extra := row())
    journal.close_file()  # the closed file has rows that aren't written yet
    assert ids(journal) == [each.id for each in rows]
    journal.delete_closed()
    assert ids(journal) == [extra.id]


def test_a_line_that_a_power_cut_tore_spoils_no_other(tmp_path: Path) -> None:
    first = Journal(tmp_path, 10_000)
    first.append(before := row())
    first.close()
    with (tmp_path / "open.jsonl").open("ab") as file:
        file.write(b'{"id": "half a row')
    journal = Journal(tmp_path, 10_000)
    journal.append(after := row())
    for _ in range(3):  # a database that is away
        assert ids(journal) == [before.id, after.id]
    journal.sync()
    journal.delete_closed()
    assert (tmp_path / "unreadable.jsonl").read_bytes() == b'{"id": "half a row\n'
    journal.close()


def test_a_folder_has_one_gateway(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="Another gateway uses the journal"):
        Journal(tmp_path / "journal", 1)


async def test_a_full_disk_stops_answers_and_loses_no_bill(journal: Journal, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    ledger = Ledger(journal, store, 1)
    ledger.add(first := row())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The kernel writes up to the limit: part of a row.
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.open_bytes + 10, hard))
        ledger.add(second := row())
        ledger.add(third := row())
        with pytest.raises(LedgerFull):
            ledger.check_room()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    await ledger.flush()
    ledger.check_room()
    assert {each["id"] for each in ledger_rows(store.engine)} == {first.id, second.id, third.id}
    assert not (tmp_path / "journal" / "unreadable.jsonl").exists()
    store.engine.dispose()


async def test_a_bill_that_the_database_has_is_no_longer_told_as_unwritten(journal: Journal, tmp_path: Path) -> None:
    """Also while the rows of later requests wait: other gateways would count it twice."""
    store, budgets = open_store(tmp_path), Budgets()
    told: list[dict[str, int]] = []

    def pay(cost: int) -> None:
        budgets.reserved["key"] += 100
        budgets.settle("key", 100, cost, "2026-11")
        ledger.add(row(cost=cost))

    class WatchedStore(Store):
        def write_rows(self, rows: Sequence[LedgerRow]) -> None:
            told.append(dict(budgets.outstanding()))
            if len(told) == 1:
                pay(20)
            super().write_rows(rows)

    ledger = Ledger(
        journal, WatchedStore(store.engine), 1, on_close=budgets.begin_writing, on_written=budgets.end_writing
    )
    pay(10)
    await ledger.flush()
    assert told == [{"key": 10}, {"key": 20}]
    assert not budgets.outstanding()
    store.engine.dispose()


async def test_under_a_steady_load_the_database_gets_the_rows_of_a_second_at_once(tmp_path: Path) -> None:
    """Not a transaction for each few: those without end made the answers meanwhile a third slower."""
    journal, store, written = Journal(tmp_path / "journal", 1_000_000), open_store(tmp_path), list[int]()
    loop = asyncio.get_running_loop()

    class WatchedStore(Store):
        def write_rows(self, rows: Sequence[LedgerRow]) -> None:
            written.append(len(rows))
            loop.call_soon_threadsafe(ledger.add, row())  # one that ends while these are written
            super().write_rows(rows)

    ledger = Ledger(journal, WatchedStore(store.engine), 0.2)
    ledger.add(row())
    started = loop.time()
    writing = asyncio.create_task(ledger.run())
    await until(lambda: len(written) >= 3)
    assert len(written) <= (loop.time() - started) / 0.2
    writing.cancel()
    await asyncio.wait([writing])
    await loop.shutdown_default_executor()  # the thread may still write
    journal.close()
    store.engine.dispose()


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let the kernel refuse to open another file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_without_another_file_rows_stay_in_their_own(journal: Journal, tmp_path: Path) -> None:
    """A row must not go to a descriptor that belongs to something else by now."""
    store = open_store(tmp_path)
    ledger = Ledger(journal, store, 1)
    ledger.add(first := row())
    with no_more_files():
        await ledger.flush()
    assert not ledger.is_connected
    with (tmp_path / "a client's socket").open("wb"):
        ledger.add(second := row())
    assert not (tmp_path / "a client's socket").stat().st_size
    await ledger.flush()
    assert ledger.is_connected
    assert {each["id"] for each in ledger_rows(store.engine)} == {first.id, second.id}
    store.engine.dispose()


@pytest.mark.parametrize("failing", ["open.jsonl", "next.jsonl"])
def test_a_rename_that_fails_changes_nothing(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    journal.append(first := row())
    rename = Path.replace

    def replace(path: Path, target: Path) -> Path:
        return broken_disk() if path.name == failing else rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(OSError, match="Input/output error"):
            journal.close_file()
    journal.append(second := row())
    assert ids(journal) == [first.id, second.id]
    journal.append(row())
    journal.close()
    again = Journal(tmp_path / "journal", 2_000)  # as after the end of a process
    assert (again.closed_bytes > again.open_bytes) and again.open_bytes
    journal._file, journal._lock = again._file, again._lock  # the fixture closes them


async def test_rows_are_written_again_if_their_file_could_not_be_deleted(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    ledger = Ledger(journal, store, 1)
    ledger.add(row())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", broken_disk)
        await ledger.flush()
    assert journal.waiting_bytes and not ledger.is_connected
    await ledger.flush()
    assert not journal.waiting_bytes and ledger.is_connected
    assert len(ledger_rows(store.engine)) == 1
    store.engine.dispose()


def broken_disk(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.EIO, "Input/output error")


async def test_refused_requests_leave_room_for_bills(tmp_path: Path) -> None:
    """Somebody whose requests are all refused can't keep others from their answers."""
    store, journal = open_store(tmp_path), Journal(tmp_path / "journal", 10_000)
    ledger = Ledger(journal, store, 1)
    for _ in range(50):
        ledger.add(row(outcome="refused", cost=0))
    ledger.check_room()
    assert 5_000 <= journal.waiting_bytes < 6_000
    ledger.add(bill := row())
    await ledger.flush()
    assert bill.id in {each["id"] for each in ledger_rows(store.engine)}
    ledger.add(row(outcome="refused", cost=0))
    assert journal.waiting_bytes
    journal.close()
    store.engine.dispose()


def test_a_journal_has_a_bound(journal: Journal) -> None:
    while not journal.is_full:
        journal.append(row())
    assert 2_000 <= journal.waiting_bytes < 3_000
