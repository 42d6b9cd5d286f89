"""Rows of the report's tables, for HTML and Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from compare.analyse.metrics.distribution import Distribution
from compare.analyse.metrics.metrics import Metrics
from compare.report.report import Report
from compare.report.words.formats import MISSING, milliseconds, percent, rate, usd
from compare.report.words.strings import PERCENTILE_LABELS, group_label

_ESCAPES = {"<": "&lt;", "[": "\\[", "\\": "\\\\", "&": "&amp;"}
# A backslash of the text would end the effect of one that is added after it.
_ACTIVE = re.compile(r"[<\[\\]|&(?=#?\w{1,31};)")


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns; cells are escaped."""
    lines = [
        [_escape(header) for header in headers],
        ["---"] * len(headers),
        *([_escape(cell) for cell in row] for row in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def markdown_text(text: str) -> str:
    """Return text from a run as one line of Markdown without tags, images and links: anyone can have written it."""
    return _ACTIVE.sub(lambda character: _ESCAPES[character[0]], " ".join(text.split()))


def _escape(cell: str) -> str:
    return markdown_text(cell).replace("|", "\\|")


def metrics_row(target: str, load: str, metrics: Metrics) -> list[str]:
    """Return one row of the table of metrics, times in milliseconds."""
    times = (
        metrics.ttft_ms.p50,
        metrics.ttft_ms.p95,
        metrics.itl_ms.p50,
        metrics.tpot_ms.p50,
        metrics.e2e_ms.p50,
        metrics.e2e_ms.p95,
    )
    return [
        target,
        load,
        f"{metrics.requests:,}",
        f"{metrics.requests - metrics.succeeded:,}",
        *map(milliseconds, times),
        rate(metrics.output_tokens_per_s),
        rate(metrics.requests_per_s),
        percent(metrics.goodput_share),
    ]


def group_rows(report: Report) -> list[list[str]]:
    """Return the requests by prefix and turn, below `strings.GROUP_HEADERS`."""
    return [
        [
            *key,
            group_label(group),
            f"{group.requests:,}",
            f"{group.failed:,}",
            milliseconds(group.ttft_ms.p50),
            milliseconds(group.ttft_ms.p95),
            MISSING if group.input_tokens is None else f"{group.input_tokens:,.0f}",
            percent(group.cached_share),
        ]
        for key, groups in report.groups.items()
        for group in groups
    ]


def cost_rows(report: Report) -> list[list[str]]:
    """Return the costs as text, below `strings.COST_HEADERS`."""
    return [
        [target, load, each.price, cost_text(report, target, load), usd(each.per_million_output_tokens)]
        for (target, load), each in report.costs.items()
    ]


def cost_text(report: Report, target: str, load: str) -> str:
    """Return the cost of 1,000 requests with its interval, if there is one."""
    return f"{usd(report.costs[target, load].per_1000_requests)}{cost_span(report, target, load, ' ({} to {})')}"


def cost_span(report: Report, target: str, load: str, words: str) -> str:
    """Return the interval of a cost in these words; "" without one, or if its ends look the same."""
    interval = report.cost_intervals.get((target, load))
    ends = (usd(interval.low), usd(interval.high)) if interval else ("", "")
    return "" if ends[0] == ends[1] else words.format(*ends)


def percentile_rows(metrics: Metrics) -> list[list[str]]:
    """Return all percentiles of one target at one load, a row per metric."""
    distributions: dict[str, Distribution] = {
        label: getattr(metrics, name) for name, label in PERCENTILE_LABELS.items()
    }
    return [
        [label, f"{each.n:,}", *map(milliseconds, (each.mean, each.p50, each.p90, each.p95, each.p99))]
        for label, each in distributions.items()
        if each.n
    ]
