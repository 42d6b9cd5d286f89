"""The page of costs: the gateway's ledger as numbers, charts, a table and CSV, and what it says without one."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gateway.commands import command
from ledger_report import charts, table
from ledger_report.reading import LedgerReader, _months_between
from tests.dashboard.conftest import Page, texts
from tests.dashboard.ledgers import write_ledger


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a few rows; tests that change it take a copy."""
    path = tmp_path_factory.mktemp("ledger") / "gateway.db"
    write_ledger(path)
    return path


@pytest.fixture
def database(filled: Path, tmp_path: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the page reads."""
    path = Path(shutil.copy(filled, tmp_path / "gateway.db"))
    monkeypatch.setenv("SPACEPORT_DATABASE_URL", f"sqlite:///{path}")
    return path


def change(database: Path, statement: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute(statement)
    connection.commit()
    connection.close()


def figures(page: AppTest) -> dict[str, str]:
    assert not page.exception
    return {metric.label: metric.value for metric in page.metric}


def rows(page: AppTest) -> list[str]:
    """The names in the table."""
    return re.findall(r'<th scope="row"[^>]*>(.*?)</th>', texts(page))


def test_the_newest_month_first_then_another_one_and_all_time(database: Path, open_page: Page) -> None:
    page = open_page("costs")
    assert figures(page) == {
        "Cost": "1.25 USD",
        "Requests": "5",
        "Tokens": "35",
        "Failed requests": "1",
        "Refused by the gateway": "1",
        "From the cache": "20%",
    }
    month = page.selectbox(key="bill_month")
    assert month.options == ["2026-11", "2026-10", "2026-09", "All time"]
    assert rows(page) == ["2026-11-29", "2026-11-30"]
    assert "The cost of one request is unknown" in texts(page)
    assert len(page.get("plotly_chart")) == len(charts.CHARTS)
    assert len(page.get("download_button")) == 1
    assert figures(month.set_value("All time").run())["Cost"] == "3.25 USD"
    assert rows(page) == ["2026-09-10", "2026-11-29", "2026-11-30"]
    empty = page.selectbox(key="bill_month").set_value("2026-10").run()
    assert "Nobody sent a request in 2026-10" in empty.info[0].value
    assert not empty.get("plotly_chart")


def test_by_owner_and_by_target(database: Path, open_page: Page) -> None:
    page = open_page("costs")
    owners = page.get_by_key("bill_group").set_value("Owner").run()
    assert figures(owners)["Requests"] == "5"
    assert rows(owners) == ["alice", "=SUM(A1)", "&lt;b&gt;bob&lt;/b&gt;"]  # by their cost
    targets = page.get_by_key("bill_group").set_value("Target").run()
    assert {*rows(targets)} == {"paid", "other", table.NO_NAME}
    assert figures(page.get_by_key("bill_group").set_value(None).run())["Requests"] == "5"


@pytest.mark.parametrize("group", ["day", "owner", "target"])
def test_the_csv_is_that_of_the_command(database: Path, group: str, capfd: pytest.CaptureFixture[str]) -> None:
    lines = LedgerReader(f"sqlite:///{database}").read(group, "2026-11").lines
    assert command.run(["report", "--by", group, "--month", "2026-11", "--csv"]) == 0
    assert table.csv_text(lines, group).splitlines() == capfd.readouterr().out.splitlines()


def test_bars_have_the_values_of_the_lines_and_harmless_names(database: Path) -> None:
    lines = LedgerReader(f"sqlite:///{database}").read("owner", None).lines
    figure = charts.draw_charts(lines, "owner")["Cost, USD"]
    assert [*figure.data[0].x] == [3.000009, 0.25, 0]  # the largest first
    assert figure.layout.yaxis.ticktext == ("alice", "=SUM(A1)", "&lt;b&gt;bob&lt;/b&gt;")
    days = charts.draw_charts(LedgerReader(f"sqlite:///{database}").read("day", None).lines, "day")
    assert [*days["Failed requests"].data[0].y] == [0, 1, 0]
    assert [bar.name for bar in days["Failed requests"].data] == ["failed", "refused by the gateway"]


def test_many_names_leave_room_and_long_ones_stay_apart(database: Path) -> None:
    (line, *_) = LedgerReader(f"sqlite:///{database}").read("owner", None).lines
    many = [replace(line, name=f"{'a' * 40}{number:02}", requests=number) for number in range(20)]
    figure = charts.draw_charts(many, "owner")["Requests"]
    assert [*figure.data[0].x] == [*range(19, 11, -1)]
    assert len(set(figure.data[0].y)) == charts.MAX_BARS
    assert max(map(len, figure.layout.yaxis.ticktext)) == charts.MAX_LABEL


def test_without_the_setting_it_says_what_to_set(open_page: Page) -> None:
    page = open_page("costs")
    assert "SPACEPORT_DATABASE_URL" in page.info[0].value
    assert not figures(page)


def test_an_empty_ledger_says_how_rows_come(database: Path, open_page: Page) -> None:
    change(database, "DELETE FROM ledger")
    page = open_page("costs")
    assert "python -m gateway keys add" in page.info[0].value
    assert not figures(page)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE ledger DROP COLUMN cache", "the schema of an older gateway, without cache"),
        ("DROP TABLE ledger", "has no ledger yet"),
    ],
)
def test_another_schema_says_how_to_bring_it_up_to_date(
    database: Path, open_page: Page, statement: str, words: str
) -> None:
    change(database, statement)
    page = open_page("costs")
    assert not page.exception
    assert words in page.error[0].value
    assert "Start " in page.error[0].value


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////nowhere/at/all.db", "all.db, which isn't there"),
        ("postgresql://a:hunter2@127.0.0.1:1/x", "The database doesn't answer"),
        ("mysql://a:hunter2@127.0.0.1/x", "is one of mysql"),
        ("no URL", "is not the URL of a database"),
        (f"sqlite:///{__file__}", "can't be read: file is not a database"),
    ],
)
def test_a_database_that_cant_be_read(
    fresh: None, open_page: Page, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("SPACEPORT_DATABASE_URL", url)
    page = open_page("costs")
    assert not page.exception
    assert words in page.error[0].value
    assert "\n\n" in page.error[0].value  # with a remedy
    assert "hunter2" not in texts(page)
    assert len(page.error) == 1


def test_the_url_can_be_in_a_file(
    database: Path, tmp_path: Path, open_page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPACEPORT_DATABASE_URL")
    (tmp_path / "url").write_text(f"sqlite:///{database}\n")
    monkeypatch.setenv("SPACEPORT_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert figures(open_page("costs"))["Requests"] == "5"
    monkeypatch.setenv("SPACEPORT_DATABASE_URL_FILE", str(tmp_path / "nothing"))
    assert "cannot be read" in open_page("costs").error[0].value


def test_the_page_never_writes_and_never_locks_the_gateway_out(database: Path) -> None:
    gateway = sqlite3.connect(database, timeout=0, isolation_level=None)
    gateway.execute("BEGIN IMMEDIATE")  # it writes right now
    reader = LedgerReader(f"sqlite:///{database}")
    assert len(reader.read("day", "newest").lines) == 2
    gateway.execute("ROLLBACK")
    gateway.close()
    with reader._engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM ledger")
    reader._engine.dispose()


def test_a_published_space_has_no_such_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard_pages import costs

    assert costs.is_here()
    monkeypatch.setitem(sys.modules, "gateway", None)
    assert not costs.is_here()


def test_months_across_a_new_year() -> None:
    assert _months_between("2025-11", "2026-01") == ["2026-01", "2025-12", "2025-11"]
    assert len(_months_between("0001-01", "2026-01")) == 36
