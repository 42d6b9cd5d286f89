"""The command `python -m compare report`, which reports on a run file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from compare.analyse.definitions import DEFINITIONS
from compare.analyse.objectives import OBJECTIVES
from compare.analyse.prices import Prices
from compare.analyse.quality_verdict import MARGIN
from compare.commands.output import write_file
from compare.errors import CompareError, PriceError
from compare.foreign.read import read_run
from compare.records import Run
from compare.report.files.export import report_json, report_markdown
from compare.report.report import Report, ReportOptions, build_report


def add_report_command(commands: Any) -> None:
    """Add `report` to the commands of `python -m compare`."""
    report = commands.add_parser("report", help="metrics, verdicts, costs and charts of a stored run")
    report.add_argument(
        "run", type=Path, help="a file that `run --out` wrote, or an output of AIPerf, GuideLLM or vllm bench serve"
    )
    report.add_argument("--against", type=Path, metavar="FILE", help="an earlier run to compare with")
    report.add_argument(
        "--definition", choices=tuple(DEFINITIONS), default="spaceport", help="metric definitions (spaceport)"
    )
    report.add_argument("--objective", choices=tuple(OBJECTIVES), default="default", help="goodput targets (default)")
    report.add_argument("--price", action="append", default=[], metavar="TARGET=PRICE", help="ml.g5.xlarge, 1.25/h, …")
    report.add_argument("--prices", type=Path, metavar="FILE", help="your own rows, in the format of prices.toml")
    report.add_argument(
        "--margin", type=float, default=MARGIN * 100, help=f"points within which targets are as good ({MARGIN * 100:g})"
    )
    report.add_argument("--spot", action="store_true", help="use spot prices where available")
    report.add_argument("--utilisation", type=float, default=1.0, help="share of the capacity in use, 0 to 1 (1)")
    report.add_argument(
        "--break-even", action="append", default=[], metavar="MODEL", help="a per-token price: openai/gpt-4o"
    )
    report.add_argument("--json", type=Path, metavar="FILE", help="write all metrics as JSON (- for the terminal)")
    report.add_argument("--html", type=Path, metavar="FILE", help="write a stand-alone page with charts")
    report.add_argument("--csv", type=Path, metavar="FILE", help="write one line per request")
    report.add_argument("--rows", type=Path, metavar="FILE", help="append a row per target and load to a JSONL dataset")
    report.add_argument("--markdown", type=Path, metavar="FILE", help="write what is printed")
    report.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    _check(options)
    run = read_run(options.run)
    report = _build(options, run)
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


def _check(options: argparse.Namespace) -> None:
    if not 0 < options.utilisation <= 1:
        raise PriceError(f"A utilisation of {options.utilisation:g} isn't possible.", "Use a share above 0, up to 1.")
    inputs = [path.resolve() for path in (options.run, options.against, options.prices) if path]
    for path in (options.json, options.html, options.csv, options.markdown, options.rows):
        if path and path.resolve() in inputs:
            raise CompareError(f"{path} is an input of the report.", "Choose another path for the output.")


def _build(options: argparse.Namespace, run: Run) -> Report:
    report_options = ReportOptions(
        options.definition,
        options.objective,
        options.price,
        options.utilisation,
        options.spot,
        options.break_even,
        options.margin / 100,
    )
    earlier = read_run(options.against) if options.against else None
    report = build_report(run, earlier, report_options, Prices.load(options.prices))
    if report.price_errors:
        raise report.price_errors[0]
    return report
