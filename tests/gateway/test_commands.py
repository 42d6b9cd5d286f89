"""The command line: keys are shown once, revoked and listed; reports add up."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.commands import command
from gateway.keys.key import hash_key
from tests.conftest import ROOT
from tests.gateway.servers import open_store, write_catalog
from tests.gateway.test_database import row


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway's data and its catalogue."""
    monkeypatch.setenv("SPACEPORT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SPACEPORT_CATALOG", str(write_catalog(tmp_path, "http://127.0.0.1:1/v1")))


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """Run a command, and return what it prints."""
    assert command.run(list(arguments)) == status
    printed = capsys.readouterr()
    return printed.err if status else printed.out


def test_a_key_is_shown_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    limits = ("--targets", "paid, other", "--requests", "60", "--tokens", "100000", "--budget", "2.50")
    assert command.run(["keys", "add", "Team A", *limits]) == 0
    printed = capsys.readouterr()
    text = printed.out.strip()
    assert re.fullmatch(r"sk-spaceport-[\w-]{43}", text)
    assert "of Team A. This is the only time" in printed.err
    second = run(capsys, "keys", "add", "Team A").split()[0]
    assert second != text
    listed = run(capsys, "keys", "list")
    assert text not in listed and second not in listed
    line = next(line for line in listed.splitlines() if "paid,other" in line)
    assert text[:17] in line and "60 req, 100000 tok" in line and "0.00 of 2.50" in line and line.endswith("valid")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert text.encode() not in stored
    assert hash_key(text).encode() in stored


def test_a_revoked_key_stays_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    for owner in ("alice", "bob"):
        run(capsys, "keys", "add", owner)
    ids = {line.split()[1]: line.split()[0] for line in run(capsys, "keys", "list").splitlines()[1:]}
    assert run(capsys, "keys", "revoke", ids["alice"]) == f"Revoked key {ids['alice']} of alice.\n"
    states = {line.split()[1]: line for line in run(capsys, "keys", "list").splitlines()[1:]}
    assert "revoked 20" in states["alice"] and states["bob"].endswith("valid")
    assert "No key has an ID" in run(capsys, "keys", "revoke", "nothing", status=1)
    assert "No key has an ID" in run(capsys, "keys", "revoke", "", status=1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("keys", "add", " "), "an owner has"),
        (("keys", "add", "a\x00b"), "an owner has"),
        (("keys", "add", "a", "--budget", "nan"), "not an amount of USD"),
        (("keys", "add", "a", "--budget", "-1"), "not an amount of USD"),
        (("keys", "add", "a", "--requests", "0"), "not a whole number from 1"),
        (("keys", "add", "a", "--targets", ","), "no target"),
        (("report", "--by", "colour"), "invalid choice"),
        (("report", "--month", "2026-13"), "not a month"),
        (("nothing",), "invalid choice"),
    ],
)
def test_wrong_usage_is_explained(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(SystemExit) as caught:
        command.run(list(arguments))
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_key_for_a_target_that_isnt_there_is_not_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no target 'payd'" in run(capsys, "keys", "add", "alice", "--targets", "payd", status=1)
    assert len(run(capsys, "keys", "list").splitlines()) == 1


def test_a_key_whose_limits_dont_hold_for_a_target_is_told_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pictures = (
        '[painter]\nkind = "backends.diffusion.server"\nurl = "http://127.0.0.1:1"\ntask = "draw"\nprice = "1/h"\n'
    )
    route = '[all]\nkind = "gateway.routing"\ntargets = ["paid", "other"]\n'
    write_catalog(tmp_path, "http://127.0.0.1:1/v1", pictures + route)

    def warnings(*options: str) -> str:
        assert command.run(["keys", "add", "alice", *options]) == 0
        return "\n".join(capsys.readouterr().err.splitlines()[1:])

    assert warnings("--requests", "1") == ""
    assert warnings("--targets", "paid,all", "--budget", "1", "--tokens", "1") == ""
    assert warnings("--tokens", "1", "--requests", "1") == ""
    assert warnings("--budget", "1").endswith("without a price in the catalogue: other, away, vectors.")
    assert warnings("--tokens", "1").endswith("only --requests limits painter.")


def test_a_database_that_is_away_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEPORT_DATABASE_URL", "postgresql://a:hunter2@127.0.0.1:1/x")
    error = run(capsys, "keys", "list", status=1)
    assert "The database doesn't answer" in error and "hunter2" not in error


def test_reports(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "requests" in run(capsys, "report")
    store = open_store(tmp_path)
    rows = [row(owner="=HYPERLINK(1)"), row(), row(target="other", cost=None), row(is_bound=True)]
    store.write_rows([*rows, replace(row(), outcome="refused", cost=0)])
    store.engine.dispose()
    text = run(capsys, "report", "--by", "target")
    assert "The cost of one request is unknown" in text and "before their tokens were counted" in text
    table = list(csv.DictReader(run(capsys, "report", "--by", "owner", "--csv").splitlines()))
    assert [line["owner"] for line in table] == ["'=HYPERLINK(1)", "alice"]
    alice = table[1]
    assert (alice["requests"], alice["ok"], alice["refused"], alice["usd"]) == ("4", "3", "1", "0.000018")
    assert (alice["usd_at_most"], alice["unknown_cost"]) == ("0.000009", "1")
    assert sum(int(line["requests"]) for line in table) == 5
    assert "2026-11-29" in run(capsys, "report", "--by", "day", "--month", "2026-11")
    assert "2026-11-29" not in run(capsys, "report", "--by", "day", "--month", "2026-12")


def test_a_package_that_isnt_installed_is_named_with_its_extra() -> None:
    code = (
        "import runpy, sys; sys.modules['sqlalchemy'] = None; sys.argv = ['gateway', 'keys', 'list']; "
        "runpy.run_module('gateway', run_name='__main__')"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 1
    assert process.stderr == (
        "error: The package sqlalchemy isn't installed.\n"
        "  Install what this command needs: pip install 'spaceport[gateway]', or all: make install\n"
    )
