"""The command `python -m compare report`, which reports on a run file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from compare.commands.options.report import add_report_options, build_from_options
from compare.commands.output import write_file
from compare.errors import CompareError
from compare.foreign.read import read_run
from compare.report.files.export import report_json, report_markdown


def add_report_command(commands: Any) -> None:
    """Add `report` to the commands of `python -m compare`."""
    report = commands.add_parser("report", help="metrics, verdicts, costs and charts of a stored run")
    report.add_argument(
        "run", type=Path, help="a file that `run --out` wrote, or an output of AIPerf, GuideLLM or vllm bench serve"
    )
    report.add_argument("--against", type=Path, metavar="FILE", help="an earlier run to compare with")
    add_report_options(report)
    report.add_argument("--json", type=Path, metavar="FILE", help="write all metrics as JSON (- for the terminal)")
    report.add_argument("--html", type=Path, metavar="FILE", help="write a stand-alone page with charts")
    report.add_argument("--csv", type=Path, metavar="FILE", help="write one line per request")
    report.add_argument("--rows", type=Path, metavar="FILE", help="append a row per target and load to a JSONL dataset")
    report.add_argument("--markdown", type=Path, metavar="FILE", help="write what is printed")
    report.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    _check_files(options)
    run = read_run(options.run)
    report = build_from_options(options, run, read_run(options.against) if options.against else None)
    as_json = json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n" if options.json else ""
    if str(options.json) == "-":
        print(as_json, end="")
    else:
        write_file(options.json, as_json)
        print(report_markdown(report), end="")
    write_file(options.markdown, report_markdown(report))
    if options.csv:
        from compare.report.files.requests_csv import requests_csv

        write_file(options.csv, requests_csv(run))
    if options.rows:
        from compare.report.files.rows import report_rows

        rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in report_rows(report))
        write_file(options.rows, rows, mode="a")
    if options.html:
        from compare.report.files.html_report import html

        write_file(options.html, html(report))
    return 0


def _check_files(options: argparse.Namespace) -> None:
    inputs = [path.resolve() for path in (options.run, options.against, options.prices) if path]
    for path in (options.json, options.html, options.csv, options.markdown, options.rows):
        if path and path.resolve() in inputs:
            raise CompareError(f"{path} is an input of the report.", "Choose another path for the output.")
