"""The page of compatibility is what its stored results say, and each no has its reason."""

from __future__ import annotations

import json
from pathlib import Path

from compatibility.environments import Environments
from compatibility.page import write_page, write_table
from compatibility.workplace import Workplace
from tests.conftest import ROOT


def test_the_page_is_written_from_the_results() -> None:
    results = json.loads((ROOT / "scripts" / "compatibility" / "results.json").read_text())
    assert (ROOT / "docs" / "compatibility.md").read_text() == write_page(results)
    assert len(results["servers"]) >= 4
    assert len(results["clients"]) >= 6


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


def test_results_have_nothing_that_only_one_run_has(tmp_path: Path) -> None:
    place = Workplace(tmp_path, Environments(tmp_path))
    assert (
        place.without_run(f"http://127.0.0.1:4711/v1 has {tmp_path}/smollm2")
        == "http://127.0.0.1/v1 has FOLDER/smollm2"
    )
