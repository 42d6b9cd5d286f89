"""Opens the database, and brings its schema to the newest version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)

from backends import NotConfigured, Unreachable
from gateway.settings import Settings

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 10
_MIGRATION_LOCK = 0x5BACE9047  # any number, the same for all gateways
_EXAMPLE = "Set it to a URL such as postgresql://USER:<PASSWORD>@HOST/DATABASE, or leave it out for a SQLite file."
# What a driver raises while its server is away, starts, ends or has no disk. psycopg calls a connection that was cut
# between two statements an interface error, and a server that only reads, such as one that is about to be replaced,
# an internal one.
AWAY = (OperationalError, InterfaceError, InternalError)
# What it raises for values that the database will never take.
BAD_VALUES = (DataError, IntegrityError, OverflowError)


def open_database(settings: Settings) -> Engine:
    """Return the engine of the database, which connects at its first use; `NotConfigured` for a wrong URL."""
    if not settings.database_url:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _sqlite(f"sqlite:///{settings.folder / 'gateway.db'}")
    try:
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite":
            return _sqlite(settings.database_url)
        if url.get_backend_name() == "postgresql":
            return _postgresql(url.set(drivername="postgresql+psycopg"))
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise NotConfigured("SPACEPORT_DATABASE_URL is not the URL of a database.", _EXAMPLE) from error
    name = url.get_backend_name()
    raise NotConfigured(f"SPACEPORT_DATABASE_URL is one of {name}, which this gateway doesn't know.", _EXAMPLE)


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest version; two gateways that start together do so one after the other.

    Raises `Unreachable` if the database is away, `NotConfigured` if a later version of the gateway has used it, or if
    the user may not create tables.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    try:
        with engine.begin() as connection:  # SQLite's is exclusive, see below
            if engine.dialect.name == "postgresql":
                connection.execute(
                    text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
                )  # a large ledger
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        message = "The database has a schema that this version of the gateway doesn't know."
        raise NotConfigured(message, "Install the version that wrote it, or a later one.") from error
    except ProgrammingError as error:  # PostgreSQL lets only its owner create tables in a new database
        message = f"The database refuses the gateway's tables: {_reason(error)}."
        raise NotConfigured(message, "Make the gateway's user the owner of its database.") from error
    except AWAY as error:
        raise away(error) from error


def away(error: DBAPIError) -> Unreachable:
    """The error for a database that doesn't answer; the driver's text has no password."""
    return Unreachable(
        f"The database doesn't answer: {_reason(error)}.", "Check SPACEPORT_DATABASE_URL, and that it runs."
    )


def _reason(error: DBAPIError) -> str:
    """Return the first line of the driver's text."""
    return "".join(str(error.orig).strip().splitlines()[:1])


def _postgresql(url: Any) -> Engine:
    options = f"-c statement_timeout={STATEMENT_SECONDS * 1000} -c lock_timeout={STATEMENT_SECONDS * 1000}"
    arguments = {"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": "spaceport-gateway"}
    # The kernel would wait for a machine that is gone for a quarter of an hour.
    arguments |= {"tcp_user_timeout": STATEMENT_SECONDS * 1000, "keepalives_idle": STATEMENT_SECONDS}
    return create_engine(url, connect_args=arguments, pool_size=2, max_overflow=1, pool_pre_ping=True)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": STATEMENT_SECONDS}, pool_size=2, max_overflow=1)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver would commit before each change of the schema
        connection.execute("PRAGMA journal_mode=WAL")
        # The journal's file is deleted after the commit, so the commit must survive a power cut; there is one a second.
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail, not wait, if another one has written meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
