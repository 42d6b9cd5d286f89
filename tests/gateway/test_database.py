"""The ledger, keys and migrations on real databases: SQLite and PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from backends import NotConfigured, Unreachable
from gateway.database import connect
from gateway.database.report import read_report
from gateway.database.schema import metadata
from gateway.database.store import STALE_SECONDS, Store
from gateway.ledger.journal import Journal
from gateway.ledger.ledger import Ledger
from gateway.ledger.row import LedgerRow
from gateway.settings import Settings
from tests.conftest import ROOT
from tests.gateway.servers import add_key, ledger_rows
from tests.helpers.postgresql import Postgres

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    url = None
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database()
    engine = connect.open_database(Settings(data=str(tmp_path), database_url=url))
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> Store:
    connect.migrate(engine)
    return Store(engine)


def row(**more: object) -> LedgerRow:
    """A row of a complete answer."""
    base = LedgerRow(
        uuid.uuid4().hex, "g", "k", "alice", "paid", "openai", True, NOON, 0.1, 0.5, 5, 2, 9000, False, "ok", "", 200
    )
    return replace(base, **more)  # type: ignore[arg-type]


def test_rows_that_are_written_twice_count_once(store: Store) -> None:
    rows = [row(), row(cost=None), row(key_id="l", gateway="h"), row(cost=0, started_at=NOON + timedelta(days=30))]
    store.write_rows(rows[:2])
    store.write_rows(rows)
    store.write_rows(rows)
    assert sorted(each["id"] for each in ledger_rows(store.engine)) == sorted(each.id for each in rows)
    assert store.spent("2026-11", without="") == {"k": 9000, "l": 9000}
    assert store.spent("2026-11", without="h") == {"k": 9000}
    assert store.spent("2026-12", without="") == {}
    store.write_rows([])


def test_keys_are_stored_and_revoked_once(store: Store) -> None:
    add_key(store, "alice", targets=("paid",), requests_per_minute=3, tokens_per_minute=10**12, usd=2.5)
    add_key(store, "bob")
    alice, bob = store.read_keys()
    assert (alice.owner, alice.targets, alice.requests_per_minute) == ("alice", ("paid",), 3)
    assert (alice.tokens_per_minute, alice.budget, bob.budget, bob.targets) == (10**12, 2_500_000_000, None, None)
    first = store.exchange((0, 0), "2026-11", "g", {})
    assert (first.counts, first.keys, first.spent) == ((2, 0), [alice, bob], {})
    assert store.exchange((2, 0), "2026-11", "g", {}).keys is None
    for time in (NOON, NOON + timedelta(days=1)):
        store.revoke_key(alice.id, time)
    later = store.exchange((2, 0), "2026-11", "g", {})
    assert later.counts == (2, 1)
    assert later.keys and later.keys[0].revoked_at == NOON


def test_reservations_of_other_gateways_count_until_they_are_gone(store: Store) -> None:
    def others(gateway: str, **reserved: int) -> Mapping[str, int]:
        return store.exchange((0, 0), "2026-11", gateway, reserved).reserved

    assert others("g", k=5, l=1) == {}
    assert others("h", k=7) == {"k": 5, "l": 1}
    assert others("i") == {"k": 12, "l": 1}
    assert others("g", k=6) == {"k": 7}
    assert others("i") == {"k": 13}
    with store.engine.begin() as connection:  # a gateway that was killed
        connection.execute(text(f"UPDATE reservations SET seen_at = seen_at - {STALE_SECONDS} WHERE gateway = 'h'"))
    assert others("i") == {"k": 6}
    assert others("g") == {}
    assert others("i") == {}


# A gateway on a machine whose clock is half a minute ahead: reserves 7, and prints what the others have.
OTHER_CLOCK = """
import json, sys, time
real = time.time
time.time = lambda: real() + 30
from gateway.database.connect import open_database
from gateway.database.store import Store
from gateway.settings import Settings

engine = open_database(Settings(data=sys.argv[1], database_url=sys.argv[2]))
print(json.dumps(dict(Store(engine).exchange((0, 0), "2026-11", "ahead", {"k": 7}).reserved)))
engine.dispose()
"""


def test_reservations_count_between_gateways_with_clocks_30_s_apart(store: Store, tmp_path: Path) -> None:
    store.exchange((0, 0), "2026-11", "g", {"k": 5})
    url = store.engine.url.render_as_string(hide_password=False)
    process = subprocess.run(
        [sys.executable, "-c", OTHER_CLOCK, str(tmp_path), url], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(process.stdout) == {"k": 5}
    assert store.exchange((0, 0), "2026-11", "g", {}).reserved == {"k": 7}


def test_a_report_adds_up(store: Store) -> None:
    store.write_rows(
        [
            row(),
            row(owner="bob", target="other", cost=None, outcome="error", first_token_seconds=None),
            row(cost=1_000_000_000, is_bound=True, outcome="cancelled", input_tokens=None, output_tokens=None),
            row(cost=0, outcome="refused", target="", started_at=NOON + timedelta(days=2)),
        ]
    )
    alice, bob = read_report(store.engine, "owner")
    assert (alice.name, alice.requests, alice.ok, alice.errors, alice.cancelled, alice.refused) == (
        "alice",
        3,
        1,
        0,
        1,
        1,
    )
    assert (alice.input_tokens, alice.output_tokens, alice.unknown_cost) == (10, 4, 0)
    assert (alice.cost, alice.bound) == (1_000_009_000, 1_000_000_000)
    assert alice.first_token_seconds == pytest.approx(0.1)
    assert (bob.cost, bob.unknown_cost, bob.errors, bob.first_token_seconds) == (0, 1, 1, None)
    assert [line.name for line in read_report(store.engine, "target")] == ["", "other", "paid"]
    assert [line.name for line in read_report(store.engine, "day")] == ["2026-11-29", "2026-12-01"]
    assert [line.name for line in read_report(store.engine, "day", "2026-12")] == ["2026-12-01"]


def test_a_report_says_where_answers_came_from(store: Store) -> None:
    store.write_rows(
        [row(cache="miss", pictures=2), row(cache="hit", cost=0), row(cache="shared", cost=0), row(cache="hit", cost=0)]
    )
    by_source = {line.name: (line.requests, line.from_cache, line.cost) for line in read_report(store.engine, "cache")}
    assert by_source == {"miss": (1, 0, 9000), "hit": (2, 2, 0), "shared": (1, 1, 0)}
    (alice,) = read_report(store.engine, "owner")
    assert (alice.requests, alice.from_cache, alice.pictures) == (4, 3, 2)


# The schema


def upgrade(engine: Engine, version: str) -> None:
    """Bring an empty database to an older version."""
    config = Config()
    config.set_main_option("script_location", str(Path(connect.__file__).with_name("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def test_the_dashboard_only_reads_and_needs_no_more_than_that(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "spaces" / "dashboard")
    from ledger_report.reading import LedgerError, LedgerReader

    url = postgres.new_database()
    engine = connect.open_database(Settings(database_url=url))
    connect.migrate(engine)
    Store(engine).write_rows([row(), row(owner="bob", cost=None)])
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE viewer LOGIN"))
    viewer = LedgerReader(url.replace("postgres@", "viewer@"))
    with pytest.raises(LedgerError, match="permission denied") as caught:
        viewer.read("owner", "newest")
    assert "GRANT SELECT ON ledger" in caught.value.remedy
    with engine.begin() as connection:
        connection.execute(text("GRANT SELECT ON ledger TO viewer"))
    engine.dispose()
    reading = viewer.read("owner", "newest")
    assert (reading.month, [line.name for line in reading.lines]) == ("2026-11", ["alice", "bob"])
    writer = LedgerReader(url)
    with pytest.raises(DBAPIError, match="read-only transaction"), writer._engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger"))
    writer._engine.dispose()


def test_an_older_schema_is_brought_up_to_date_with_its_rows(engine: Engine) -> None:
    upgrade(engine, "0001")
    assert "spending" not in inspect(engine).get_table_names()
    columns = "id, gateway, key_id, owner, target, dialect, is_stream, started_at, day, seconds, cost, is_bound"
    with engine.begin() as connection:
        for number, (day, cost) in enumerate([("2026-10-31", 5), ("2026-11-01", 7), ("2026-11-02", 8)]):
            connection.execute(
                text(
                    f"INSERT INTO ledger ({columns}, outcome, error, status) VALUES ('{number}', 'g', 'k', 'alice', "
                    f"'paid', 'openai', false, '{day} 10:00:00', '{day}', 1, {cost}, false, 'ok', '', 200)"
                )
            )
    connect.migrate(engine)
    store = Store(engine)
    (old,) = read_report(engine, "cache")
    assert (old.name, old.requests, old.from_cache, old.pictures) == ("", 3, 0, 0)
    assert store.spent("2026-11", without="") == {"k": 15}
    assert store.spent("2026-10", without="") == {"k": 5}
    store.write_rows([row()])
    assert store.spent("2026-11", without="") == {"k": 9015}
    connect.migrate(engine)


def test_the_migrations_make_the_schema_that_the_code_uses(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_later_schema_is_left_alone(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NotConfigured, match="schema that this version of the gateway doesn't know"):
        connect.migrate(store.engine)


def test_a_user_that_may_create_no_tables_is_told_so(postgres: Postgres) -> None:
    owner = connect.open_database(Settings(database_url=postgres.new_database()))
    with owner.begin() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN"))
    url = str(owner.url.set(drivername="postgresql", username="guest"))
    owner.dispose()
    guest = connect.open_database(Settings(database_url=url))
    with pytest.raises(NotConfigured, match=r"permission denied for schema public.*owner of its database"):
        connect.migrate(guest)
    guest.dispose()


def test_gateways_that_start_together_migrate_once(engine: Engine) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            connect.migrate(engine)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Store(engine).read_keys() == []


# What a database refuses


async def test_a_row_that_no_database_takes_doesnt_hold_up_the_others(store: Store, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", 10_000)
    ledger = Ledger(journal, store, 1)
    for each in (row(), row(input_tokens=2**70), row()):
        ledger.add(each)
    with (tmp_path / "journal" / "open.jsonl").open("ab") as file:
        file.write(b'{"half a\n')
    await ledger.flush()
    assert len(ledger_rows(store.engine)) == 2
    assert journal.waiting_bytes == 0
    assert len((tmp_path / "journal" / "unreadable.jsonl").read_bytes().splitlines()) == 2
    journal.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://a@b/c", "nosuch+driver://a", "postgresql://[::1/x"])
def test_a_wrong_url_is_explained(url: str, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="SPACEPORT_DATABASE_URL") as caught:
        connect.open_database(Settings(data=str(tmp_path), database_url=url))
    assert "postgresql://" in caught.value.remedy


def test_a_database_that_is_away_is_explained_without_its_password(tmp_path: Path) -> None:
    engine = connect.open_database(Settings(data=str(tmp_path), database_url="postgresql://a:hunter2@127.0.0.1:1/x"))
    with pytest.raises(Unreachable) as caught:
        connect.migrate(engine)
    assert "hunter2" not in str(caught.value)


def test_a_commit_of_sqlite_survives_a_power_cut(tmp_path: Path) -> None:
    engine = connect.open_database(Settings(data=str(tmp_path)))
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
    engine.dispose()
