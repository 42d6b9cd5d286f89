"""A run as rows of a dataset."""

from __future__ import annotations

import json
from pathlib import Path

from compare.__main__ import main
from compare.report.files.rows import report_rows
from compare.report.report import Report
from compare.runs import run_file
from tests.compare.make_runs import block, build_run, failure, record, simulate


def test_all_rows_have_the_same_flat_columns() -> None:
    full = report_rows(Report(simulate({"a": 1.0, "b": 2.0}, rounds=20)))
    empty = report_rows(Report(build_run(failure(), record(0.1, target="b"), block(1.0))))
    assert {tuple(row) for row in full + empty} == {tuple(full[0])}
    values = [value for row in full + empty for name, value in row.items() if name != "caveats"]
    assert all(value is None or isinstance(value, str | int | float) for value in values)
    assert empty[0]["caveats"][0].startswith("a: every request failed.")
    assert [(row["target"], row["load"], row["failed"]) for row in full] == [
        ("a", "concurrency 1", 0), ("b", "concurrency 1", 0),
    ]  # fmt: skip
    assert full[1]["e2e_ms_p50"] == 2 * full[0]["e2e_ms_p50"]
    assert full[0]["headline"].startswith("a starts 2.0× sooner than b")


def test_rows_of_several_runs_are_appended(tmp_path: Path) -> None:
    run_file.write(simulate({"a": 1.0, "b": 2.0}, rounds=4), tmp_path / "run.jsonl")
    rows = tmp_path / "rows.jsonl"
    for _ in range(2):
        assert main(["report", str(tmp_path / "run.jsonl"), "--rows", str(rows)]) == 0
    assert [json.loads(line)["target"] for line in rows.read_text().splitlines()] == ["a", "b", "a", "b"]
    assert main(["report", str(tmp_path / "run.jsonl"), "--rows", str(tmp_path / "run.jsonl")]) == 1
