"""Measures a deployed endpoint, prices its machines, and computes the cost of its requests: what `cloud` calls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from backends import Catalog
from backends.stopwatch import wall_clock
from compare.analyse.costs.cost import cost
from compare.analyse.costs.prices import Hourly, Prices
from compare.analyse.metrics.metrics import Metrics, compute_metrics
from compare.errors import CompareError
from compare.measure.measurement import Progress
from compare.measure.plan import RunPlan, closed_loops, parse_numbers
from compare.measure.run import execute
from compare.measure.workloads.find_workload import find_workload
from compare.report import tables
from compare.report.words import formats
from compare.report.words.cost_text import price_warning
from compare.runs import run_file
from compare.runs.records import Run

TARGET = "deployed"
SERVERLESS = "/serverless."  # in the name of a serverless row of the price table
PAYMENT_HEADERS = ("payment", "USD/h", "USD for 1,000 requests", "USD for 1M output tokens")
MACHINE_HEADERS = ("machine", "USD/h", "× this price", "requests/s for the same cost")


def usd_hour(row: str, spot: bool = False, price: str | None = None) -> float | None:
    """Return the price of a machine per hour, at spot or not; None if the price table has none.

    `price` is the user's own, such as 1.25/h, and replaces the table's.
    """
    table = Prices.load()
    price_row = table.find(price) if price else table.rows.get(row)
    if not isinstance(price_row, Hourly):
        return None
    if spot and not price:
        return None if price_row.spot is None else price_row.at_spot().usd_hour
    return price_row.usd_hour


def benchmark(target: Mapping[str, Any], out: Path, concurrency: str, requests: int) -> int:
    """Measure the target at each load into `out`, a run of the comparator; return 0 if a request succeeded."""
    plan = RunPlan((TARGET,), closed_loops(parse_numbers(concurrency, "--concurrency")), requests)
    catalog = Catalog({TARGET: dict(target)}, source="the deployment")

    def show(progress: Progress) -> None:
        print(
            f"\r{progress.done} of {progress.total} requests · {progress.current_step}\033[K", end="", file=sys.stderr
        )

    reason = asyncio.run(execute(plan, find_workload("short"), catalog, out, show))
    answers = sum(record.ok for record in run_file.read(out).records if record.phase == "measured")
    print(f"\n{reason}: {out}, {answers} answers. For a report: python -m compare report {out}", file=sys.stderr)
    return 0 if answers else 1


def cost_report(run: Path, price: str, utilisation: float) -> str:
    """Return two tables as text: each way to pay at the best measured load, and the alternatives to the machine."""
    if not 0 < utilisation <= 1:
        raise CompareError(f"The utilisation can't be {utilisation:g}.", "Pass a share above 0, up to 1.")
    table = Prices.load()
    row = table.find(price)
    if not isinstance(row, Hourly):
        raise CompareError(f"{price} is not a price per hour.", "Name a machine of the price table.")
    metrics = _best_metrics(run_file.read(run))
    payments = [*_payment_rows(metrics, row, utilisation), *_serverless_rows(metrics, row, table)]
    lines = [
        tables.markdown_table(PAYMENT_HEADERS, payments),
        "",
        tables.markdown_table(MACHINE_HEADERS, _machine_rows(metrics, row, table)),
    ]
    warning = price_warning(row, _today())
    return "\n".join([*lines, warning] if warning else lines)


def _best_metrics(run: Run) -> Metrics:
    """Return the metrics at the load with the highest throughput."""
    loads = [compute_metrics(run, run.targets[0], load) for load in run.loads]
    successful = [metrics for metrics in loads if metrics.requests_per_s]
    if not successful:
        raise CompareError("No request of this run succeeded.", "Run benchmark again.")
    return max(successful, key=lambda metrics: metrics.requests_per_s or 0.0)


def _payment_rows(metrics: Metrics, row: Hourly, utilisation: float) -> list[list[str]]:
    """Return the cost of an instance that is always on, fully and partly used, and at spot if there is a price."""
    payments = [("always on, fully used", row, 1.0), (f"always on, {utilisation:.0%} used", row, utilisation)]
    if row.spot is not None:
        payments.append((f"spot, {utilisation:.0%} used", row.at_spot(), utilisation))
    rows = []
    for label, price, share in payments:
        costs = cost(metrics, price, share)
        usd = formats.usd(costs.per_1000_requests), formats.usd(costs.per_million_output_tokens)
        rows.append([label, f"{price.usd_hour:.4g}", *usd])
    return rows


def _serverless_rows(metrics: Metrics, row: Hourly, table: Prices) -> list[list[str]]:
    """Return the cost of SageMaker's serverless sizes, which bill the seconds of each request."""
    seconds = (metrics.e2e_ms.mean or 0.0) / 1000
    if not seconds or not row.name.startswith("sagemaker/"):
        return []
    rows = []
    for name, price in table.rows.items():
        if SERVERLESS in name and name.startswith("sagemaker/"):
            usd = price.usd_hour / 3600 * seconds * 1000
            label = f"serverless, {name.rsplit('.', 1)[1]} MB, at the same speed"
            rows.append([label, f"{price.usd_hour:.4g} while busy", formats.usd(usd), ""])
    return rows


def _machine_rows(metrics: Metrics, row: Hourly, table: Prices) -> list[list[str]]:
    """Return the provider's machines, each with the throughput that makes a request cost the same."""
    provider = row.name.partition("/")[0]
    machines = [
        price for name, price in table.rows.items() if name.startswith(f"{provider}/") and SERVERLESS not in name
    ]
    rows = []
    for price in sorted(machines, key=lambda price: price.usd_hour):
        ratio = price.usd_hour / row.usd_hour
        throughput = (metrics.requests_per_s or 0.0) * ratio
        rows.append([price.name.rsplit("/", 1)[1], f"{price.usd_hour:.4g}", f"{ratio:.2f}", f"{throughput:.3g}"])
    return rows


def _today() -> date:
    return datetime.fromtimestamp(wall_clock(), UTC).date()
