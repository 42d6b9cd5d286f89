"""Reads the gateway's ledger from its database, and never writes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from backends import SpaceportError
from gateway.database.connect import AWAY, STATEMENT_SECONDS, away, open_database
from gateway.database.report import ReportLine, read_report
from gateway.database.schema import ledger
from gateway.settings import Settings, from_environment

VARIABLE = "SPACEPORT_DATABASE_URL"
MAX_MONTHS = 36  # in the list; "All time" has the others too


class LedgerError(SpaceportError):
    """The database has no ledger that can be read."""


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """The lines of a month, or of all time if `month` is None, and the months to choose from, the newest first."""

    months: Sequence[str]
    month: str | None
    lines: Sequence[ReportLine]


def database_url(environment: Mapping[str, str]) -> str | None:
    """Return the URL of the gateway's database if it is set, also as the name of a file that contains it."""
    own = {name: text for name, text in environment.items() if name.startswith(VARIABLE)}
    return from_environment(own).database_url


class LedgerReader:
    """The ledger in the database at `url`: every method blocks, and raises a `SpaceportError` with a remedy."""

    def __init__(self, url: str) -> None:
        self._engine = _open(url)

    def read(self, group: str, month: str | None) -> LedgerReading:
        """Return the lines of each owner, target or day; of the newest month if `month` is "newest"."""
        try:
            with _errors_in_words():
                self._check_schema()
                months = self._months()
                if month == "newest":
                    month = next(iter(months), None)
                return LedgerReading(months, month, read_report(self._engine, group, month) if months else [])
        finally:
            self._engine.dispose()  # a page that nobody looks at holds no connection

    def _check_schema(self) -> None:
        inspector = inspect(self._engine)
        if not inspector.has_table(ledger.name):
            raise LedgerError(
                f"The database of {VARIABLE} has no ledger yet.",
                "Start the gateway with the same setting: it creates its tables at the start.",
            )
        columns = {column["name"] for column in inspector.get_columns(ledger.name)}
        if missing := {*ledger.columns.keys()} - columns:
            raise LedgerError(
                f"The ledger has the schema of an older gateway, without {', '.join(sorted(missing))}.",
                "Start this version of the gateway once: it brings the schema up to date.",
            )

    def _months(self) -> list[str]:
        # Each of the two is one step in the index; both in one query without subqueries would read all rows.
        ends = [select(end(ledger.c.day)).scalar_subquery() for end in (func.min, func.max)]
        with self._engine.begin() as connection:
            first, last = connection.execute(select(*ends)).one()
        return _months_between(first[:7], last[:7]) if first else []


def _months_between(first: str, last: str) -> list[str]:
    """Return the months from the last one back to the first one, such as 2026-11, at most `MAX_MONTHS`."""
    year, month = map(int, last.split("-"))
    months: list[str] = []
    while len(months) < MAX_MONTHS and (name := f"{year:04d}-{month:02d}") >= first:
        months.append(name)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return months


def _open(url: str) -> Engine:
    """Return an engine that only reads; `NotConfigured` for a URL that isn't one of the gateway's databases."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return open_database(Settings(database_url=url))  # raises the gateway's own error
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    return open_database(Settings(database_url=url)).execution_options(postgresql_readonly=True)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that this user may not read
        return False


def _sqlite(address: URL) -> Engine:
    """Return an engine for a file that exists: the gateway's own would create one, and lock it against the gateway."""
    path = Path(address.database or "")
    if not _is_file(path):
        raise LedgerError(
            f"{VARIABLE} names the SQLite file {path.name or '(none)'}, which isn't there.",
            "Start the gateway with the same setting, or name its file: sqlite:////home/YOU/.local/share/spaceport/"
            "gateway/gateway.db",
        )
    file = f"file:{quote(str(path.absolute()))}"
    read_only = URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"})
    return create_engine(read_only, connect_args={"timeout": STATEMENT_SECONDS})


@contextmanager
def _errors_in_words() -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        raise away(error) from error
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[:1]
        raise LedgerError(
            f"The ledger can't be read: {''.join(reason)}.",
            f"Check that {VARIABLE} names the gateway's database, and that its user may read the table: "
            "GRANT SELECT ON ledger TO …",
        ) from error
