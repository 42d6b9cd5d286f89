"""The page of compatibility is what its stored results say, and each no has its reason."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import local_databases
from compatibility.checks.clients import run_checks
from compatibility.environments import Environments
from compatibility.outcomes import OURS
from compatibility.page import LOAD, write_page, write_table
from compatibility.workplace import Workplace
from local_server import NotStarted
from tests.conftest import ROOT


def test_the_page_is_written_from_the_results() -> None:
    results = json.loads((ROOT / "scripts" / "compatibility" / "results.json").read_text())
    assert (ROOT / "docs" / "compatibility.md").read_text() == write_page(results)
    assert len(results["servers"]) >= 4
    assert len(results["clients"]) >= 6
    assert len(results["gateway"]) >= 4


def test_each_no_has_a_number_and_a_reason() -> None:
    seen = "it goes on at http://127.0.0.1/v1 <b>"
    outcomes = {
        "stream": {"verdict": "yes", "seen": "2 pieces", "side": ""},
        "stop": {"verdict": "no", "seen": seen, "side": "theirs"},
        "rerank": {"verdict": "not tried", "seen": "no model", "side": ""},
        "usage": {"verdict": "no", "seen": "KeyError", "side": "ours"},
    }
    entries = [
        {"name": "A", "version": "1.2", "date": "2026-11-29", "results": outcomes},
        {"name": "B", "version": "", "date": "2026-11-29", "problem": "it did not start"},
    ]
    table, notes = write_table(entries, "the server")
    assert table.splitlines()[2:] == [
        "| version | 1.2 | ? |",
        "| run on | 2026-11-29 | not run (3) |",
        "| stream | yes | – |",
        "| stop | no (1) | – |",
        "| rerank | – | – |",
        "| usage | no (2) | – |",
    ]
    assert notes.splitlines() == [
        "1. A, stop. The server: it goes on at http://127.0.0.1/v1 &lt;b>.",
        "2. A, usage. Ours, not explained yet: KeyError.",
        "3. B. It did not start.",
    ]


def test_the_page_says_what_the_load_saw_if_it_was_run() -> None:
    parts: dict[str, list[Any]] = {"servers": [], "clients": [], "gateway": []}
    assert "What" not in write_page(parts).partition("Real clients through our gateway")[2]
    seen = {"without Redis": {"verdict": "yes", "seen": "222 answers", "side": ""}}
    parts["gateway"] = [{"name": LOAD, "version": "1", "date": "2026-11-29", "results": seen}]
    assert "- Without Redis: 222 answers." in write_page(parts)


def test_a_gateway_that_hangs_is_ours() -> None:
    [outcome] = asyncio.run(run_checks({"chat": lambda: str(time.sleep(0.2))}, 0.05, OURS)).values()
    assert (outcome.verdict, outcome.side) == ("no", OURS)


@pytest.mark.parametrize("program", ["import sys; sys.exit(1)", "import time; time.sleep(60)"])
def test_a_database_that_does_not_start_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    script = tmp_path / "redis-server"
    script.write_text(f"#!{sys.executable}\nimport os\nopen('pid', 'w').write(str(os.getpid()))\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(local_databases, "START_SECONDS", 1 if "sleep" in program else 60)
    with pytest.raises(NotStarted), local_databases.running_redis(tmp_path):
        pass
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_results_have_nothing_that_only_one_run_has(tmp_path: Path) -> None:
    place = Workplace(tmp_path, Environments(tmp_path))
    assert (
        place.without_run(f"http://127.0.0.1:4711/v1 has {tmp_path}/smollm2")
        == "http://127.0.0.1/v1 has FOLDER/smollm2"
    )
