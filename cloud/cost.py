"""What an endpoint's requests cost, from a run of the comparator's engine that was measured on it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends import Catalog
from cloud.calls import CloudError
from compare import records
from compare.analyse.cost import cost
from compare.analyse.metrics import Figures, figures
from compare.analyse.prices import Hourly, Prices, warning
from compare.measure import plan as plans
from compare.measure.plan import Plan
from compare.measure.run import execute
from compare.measure.workload import choose
from compare.report import tables

TARGET = "deployed"


def benchmark(target: Mapping[str, Any], out: Path, concurrency: str, requests: int) -> int:
    """Measure the target at some loads into `out`, which the comparator reads; 0 if a request succeeded."""
    plan = Plan((TARGET,), plans.closed(plans.numbers(concurrency, "--concurrency")), requests)
    catalog = Catalog({TARGET: dict(target)}, source="the deployment")

    def show(progress: Any) -> None:
        print(f"\r{progress.done} of {progress.total} requests · {progress.doing}\033[K", end="", file=sys.stderr)

    reason = asyncio.run(execute(plan, choose("short"), catalog, out, show))
    good = sum(record.ok for record in records.read(out).records if record.phase == "measured")
    print(f"\n{reason}: {out}, {good} answers. Look at it: python -m compare report {out}", file=sys.stderr)
    return 0 if good else 1


def told(run: Path, price: str, utilisation: float) -> str:
    """Tables as text: each way to pay at the best measured load, then what other machines would have to do."""
    if not 0 < utilisation <= 1:
        raise CloudError(f"A utilisation of {utilisation:g} is not possible.", "Give a share above 0, up to 1.")
    table = Prices.load()
    row = table.find(price)
    if not isinstance(row, Hourly):
        raise CloudError(f"{price} is not a price by the hour.", "Name a machine of the price table.")
    best = _best(records.read(run))
    heads = ("how it is paid", "USD/h", "USD for 1,000 requests", "USD for 1M output tokens")
    lines = [tables.markdown(heads, _ways(best, row, table, utilisation)), ""]
    others = ("machine", "USD/h", "× this price", "must give requests/s for the same cost")
    lines.append(tables.markdown(others, _others(best, row, table)))
    notes = [warning(row, _today())]
    return "\n".join([*lines, *filter(None, notes)])


def _best(run: records.Run) -> Figures:
    """The figures at the load with the highest throughput."""
    found = [figures(run, run.targets[0], load) for load in run.loads]
    usable = [each for each in found if each.requests_per_s]
    if not usable:
        raise CloudError("No request of this run succeeded.", "Run benchmark again.")
    return max(usable, key=lambda each: each.requests_per_s or 0.0)


def _ways(best: Figures, row: Hourly, table: Prices, utilisation: float) -> list[list[str]]:
    """Always on, at full and at the chosen use; spot where there is any; serverless by the seconds that are used."""
    ways = [("always on, fully used", row, 1.0), (f"always on, {utilisation:.0%} used", row, utilisation)]
    if row.spot is not None:
        ways.append((f"spot, {utilisation:.0%} used", row.at_spot(), utilisation))
    rows = []
    for name, price, share in ways:
        each = cost(best, price, share)
        usd = tables.usd(each.per_1000_requests), tables.usd(each.per_million_output_tokens)
        rows.append([name, f"{price.usd_hour:.4g}", *usd])
    seconds = (best.e2e_ms.mean or 0.0) / 1000
    for name, price in table.rows.items():
        if "/serverless." in name and seconds and name.startswith("sagemaker/") and row.name.startswith("sagemaker/"):
            usd = price.usd_hour / 3600 * seconds * 1000
            label = f"serverless, {name.rsplit('.', 1)[1]} MB, if it were as fast"
            rows.append([label, f"{price.usd_hour:.4g} while busy", tables.usd(usd), ""])
    return rows


def _others(best: Figures, row: Hourly, table: Prices) -> list[list[str]]:
    """Every machine of the same provider: what it must give to cost as much a request as this one did."""
    provider = row.name.partition("/")[0]
    known = [
        each for name, each in table.rows.items() if name.startswith(f"{provider}/") and "/serverless." not in name
    ]
    rate = best.requests_per_s or 0.0
    return [
        [each.name.rsplit("/", 1)[1], f"{each.usd_hour:.4g}", f"{ratio:.2f}", f"{rate * ratio:.3g}"]
        for each in sorted(known, key=lambda each: each.usd_hour)
        for ratio in [each.usd_hour / row.usd_hour]
    ]


def _today() -> Any:
    from datetime import UTC, datetime

    from backends.stopwatch import wall_clock

    return datetime.fromtimestamp(wall_clock(), UTC).date()
