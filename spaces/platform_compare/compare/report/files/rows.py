"""A run as rows of a dataset: one row per target and load, for a file that grows with every run.

`compare.publish.schema` reads them. A new column isn't a new version; one that means something else is.
"""

from __future__ import annotations

from typing import Any

from compare.analyse.quality.quality import Measure
from compare.report.overview.headline import headline
from compare.report.overview.short_verdict import short_verdict
from compare.report.report import Report

MAX_BADGE = 200
VERSION = 2  # in version 1, the caveats were a number


def report_rows(report: Report) -> list[dict[str, Any]]:
    """Return the rows of a run, all with the same columns; times in milliseconds, None for what is unknown.

    All values are numbers and lines of text, but for the list of the caveats.
    """
    return [_row(report, target, load) for target, load in report.cells]


def _row(report: Report, target: str, load: str) -> dict[str, Any]:
    header, metrics = report.run.header, report.cells[target, load]
    cost = report.costs.get((target, load))
    right = report.quality.get(target, {}).get(Measure.RIGHT)
    gpu = report.gpu_uses.get((target, load))
    served = header["targets"][target].get("served", {})
    return {
        "version": VERSION,
        "run": header["id"],
        "started": header["started"],
        "workload": header["workload"]["name"],
        "workload_hash": header["workload"]["hash"],
        "system": header["environment"]["system"],
        "processors": header["environment"]["processors"],
        "definition": report.definition,
        "target": target,
        "title": header["targets"][target]["title"],
        "kind": header["targets"][target]["settings"].get("kind"),
        "model": served.get("model"),
        "load": load,
        "requests": metrics.requests,
        "failed": metrics.requests - metrics.succeeded,
        "ttft_ms_p50": metrics.ttft_ms.p50,
        "ttft_ms_p95": metrics.ttft_ms.p95,
        "itl_ms_p50": metrics.itl_ms.p50,
        "tpot_ms_p50": metrics.tpot_ms.p50,
        "e2e_ms_p50": metrics.e2e_ms.p50,
        "e2e_ms_p95": metrics.e2e_ms.p95,
        "output_tokens_per_s": metrics.output_tokens_per_s,
        "requests_per_s": metrics.requests_per_s,
        "goodput_share": metrics.goodput_share,
        "price": cost.price if cost else None,
        "usd_per_1000_requests": cost.per_1000_requests if cost else None,
        "usd_per_million_output_tokens": cost.per_million_output_tokens if cost else None,
        "gpu": gpu.name if gpu else None,
        "gpu_utilization": gpu.utilization if gpu else None,
        "wh_per_1000_tokens": gpu.wh_per_1000_tokens if gpu else None,
        "questions": right.questions if right else None,
        "right_share": right.value if right else None,
        "right_low": right.low if right else None,
        "right_high": right.high if right else None,
        "headline": headline(report),
        "badge": short_verdict(report)[:MAX_BADGE],
        "caveats": report.caveats,
    }
