"""`python -m gateway report`: requests, tokens and costs by owner, target, day or source of the answers."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Sequence
from typing import Any

from gateway.billing import money
from gateway.database.report import GROUPS, ReportLine, read_report
from gateway.database.store import Store

HEADER = (
    "requests", "ok", "errors", "cancelled", "refused", "from_cache", "input_tokens", "output_tokens", "usd",
    "usd_at_most", "unknown_cost", "mean_first_token_seconds", "pictures",
)  # fmt: skip


def add_arguments(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="print requests, tokens and costs")
    parser.add_argument("--by", choices=GROUPS, default="owner", help="one line each (default: owner)")
    parser.add_argument("--month", type=_month, metavar="YYYY-MM", help="only this month")
    parser.add_argument("--csv", action="store_true", help="for a spreadsheet")
    parser.set_defaults(run=_report)


def _report(store: Store, options: argparse.Namespace) -> None:
    lines = read_report(store.engine, options.by, options.month)
    if options.csv:
        csv.writer(sys.stdout).writerows(csv_rows(lines, options.by))
        return
    rows = [[line.name, *_cells(line)] for line in lines]
    header = [options.by, *HEADER]
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if unknown := sum(line.unknown_cost for line in lines):
        count = f"{unknown} requests" if unknown > 1 else "one request"
        print(f"\nThe cost of {count} is unknown and not in these sums: the target has no price.")
    if any(line.bound for line in lines):
        print("\nusd_at_most is the part of usd whose answers ended before their tokens were counted.")


def csv_rows(lines: Sequence[ReportLine], group: str) -> list[list[str]]:
    """Return the report as rows of CSV, the header first."""
    return [[group, *HEADER], *([_harmless(line.name), *_cells(line)] for line in lines)]


def _cells(line: ReportLine) -> list[str]:
    first = "" if line.first_token_seconds is None else f"{line.first_token_seconds:.3f}"
    outcomes = (line.requests, line.ok, line.errors, line.cancelled, line.refused, line.from_cache)
    counts = map(str, (*outcomes, line.input_tokens, line.output_tokens))
    return [*counts, money.show(line.cost), money.show(line.bound), str(line.unknown_cost), first, str(line.pictures)]


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _month(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a month such as 2026-11")
    return text
