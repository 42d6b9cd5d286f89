"""The options of all commands that report on a run, and the report that they make."""

from __future__ import annotations

import argparse
from pathlib import Path

from compare.analyse.costs.prices import Prices
from compare.analyse.metrics.definitions import DEFINITIONS
from compare.analyse.metrics.objectives import OBJECTIVES
from compare.analyse.quality.quality_verdict import MARGIN
from compare.errors import PriceError
from compare.report.options import ReportOptions, build_report
from compare.report.report import Report
from compare.runs.records import Run


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    parser.add_argument(
        "--definition", choices=tuple(DEFINITIONS), default="spaceport", help="metric definitions (spaceport)"
    )
    parser.add_argument("--objective", choices=tuple(OBJECTIVES), default="default", help="goodput targets (default)")
    parser.add_argument("--price", action="append", default=[], metavar="TARGET=PRICE", help="ml.g5.xlarge, 1.25/h, …")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="your own rows, in the format of prices.toml")
    parser.add_argument(
        "--margin", type=float, default=MARGIN * 100, help=f"points within which targets are as good ({MARGIN * 100:g})"
    )
    parser.add_argument("--spot", action="store_true", help="use spot prices where available")
    parser.add_argument("--utilisation", type=float, default=1.0, help="share of the capacity in use, 0 to 1 (1)")
    parser.add_argument("--kwh", type=float, metavar="USD", help="the price of a kWh, for the energy of the GPUs")
    parser.add_argument(
        "--break-even", action="append", default=[], metavar="MODEL", help="a per-token price: openai/gpt-4o"
    )


def build_from_options(options: argparse.Namespace, run: Run, earlier: Run | None = None) -> Report:
    """Return the report of a run, perhaps against an earlier one; `PriceError` names a price that can't be used."""
    if not 0 < options.utilisation <= 1:
        raise PriceError(f"A utilisation of {options.utilisation:g} isn't possible.", "Use a share above 0, up to 1.")
    if options.kwh is not None and not 0 <= options.kwh < 1000:
        raise PriceError(f"A kWh can't cost {options.kwh:g} USD.", "Use USD of 0 or more, such as 0.20.")
    report_options = ReportOptions(
        options.definition,
        options.objective,
        options.price,
        options.utilisation,
        options.spot,
        options.break_even,
        options.margin / 100,
        options.kwh,
    )
    report = build_report(run, earlier, report_options, Prices.load(options.prices))
    if report.price_errors:
        raise report.price_errors[0]
    return report
