"""The requests of a run as CSV: a line each, whose cells no program takes for formulas."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from compare.report.files.requests_csv import CSV_COLUMNS, requests_csv
from compare.runs.records import Run
from tests.compare.make_runs import build_run, failure, record


def read_csv(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(requests_csv(run), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("column", ["target", "load", "finish_reason", "error"])
def test_csv_cells_are_never_formulas(column: str, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    entry = failure(evil, "no") if column == "error" else replace(record(0.1), **{column: evil})
    (line,) = read_csv(build_run(entry, targets=("a",)))
    assert line[column].startswith(f"'{evil}")


@pytest.mark.parametrize("text", ['"no", it said', "two\nlines", "one line\r=HYPERLINK(1)", "a; b", "…"])
def test_a_cell_of_csv_stays_one_cell(text: str) -> None:
    lines = read_csv(build_run(failure("Rejected", text), record(0.1)))
    assert [line["error"] for line in lines] == [f"Rejected: {text}", ""]


def test_a_request_is_a_line_of_csv() -> None:
    run = build_run(
        record(0.25, 0.5, sent=1.5, delay=0.5, ended=0.75, tokens=4),
        failure("Rejected", "No such key.", sent=3.0, target="b", block=2),
    )
    good, bad = read_csv(run)
    assert tuple(good) == CSV_COLUMNS
    assert good == {
        "run": "0123456789ab",
        "seed": "0",
        "workload_hash": "8fd601bf1191cd97",
        "target": "a",
        "load": "concurrency 1",
        "block": "0",
        "phase": "measured",
        "prompt": "0",
        "intended_s": "1.0",
        "sent_s": "1.5",
        "ttft_ms": "250.0",
        "e2e_ms": "750.0",
        "deltas": "2",
        "input_tokens": "10",
        "output_tokens": "4",
        "finish_reason": "stop",
        "error": "",
        "correct": "",
        "supported": "",
        "refused": "",
        "well_formed": "",
        "words": "",
        **dict.fromkeys(("conversation", "turn", "prefix"), ""),
    }
    assert (bad["target"], bad["block"], bad["error"]) == ("b", "2", "Rejected: No such key.")
    assert (bad["ttft_ms"], bad["deltas"], bad["output_tokens"], bad["finish_reason"]) == ("", "0", "", "")
