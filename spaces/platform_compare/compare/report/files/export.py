"""A report as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from compare.analyse.metrics.definitions import TITLES
from compare.analyse.metrics.metrics import cold_start
from compare.report import tables
from compare.report.files.quality_json import quality_json
from compare.report.overview.headline import headline
from compare.report.report import Report
from compare.report.tables import markdown_text
from compare.report.words import judge_text, quality_text, strings
from compare.report.words.capacity_text import capacity_json, curve_table
from compare.report.words.formats import moment
from compare.report.words.glossary import glossary_lines
from compare.report.words.judge_text import judges_json
from compare.report.words.settings_text import settings_rows
from compare.report.words.telemetry_text import telemetry_json, telemetry_markdown
from compare.report.words.verdict_text import NOT_INTERLEAVED, verdict_text


def report_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values; times in milliseconds, a percentile of too few values as None."""
    return {
        "version": 1,
        "run": report.run.header,
        "ended": report.run.ended,
        "headline": headline(report),
        "definition": report.definition,
        "objective": asdict(report.objective),
        "targets": {target: _target_json(report, target) for target in report.run.targets},
        "verdicts": [asdict(verdict) | {"text": verdict_text(verdict)} for verdict in report.verdicts],
        "changes": [asdict(verdict) | {"text": verdict_text(verdict)} for verdict in report.changes],
        "quality": quality_json(report),
        "judges": judges_json(report),
        "recommended_requests": report.recommended_requests,
        **({"capacity": capacity_json(report.capacities)} if report.capacities else {}),
        "break_even": [asdict(even) for even in report.break_evens],
        "caveats": report.caveats,
    }


def _target_json(report: Report, target: str) -> dict[str, Any]:
    first = cold_start(report.run, target)
    by_load = {
        load: asdict(metrics)
        | {"client": asdict(report.client_loads[target, load])}
        | ({"groups": [asdict(group) for group in groups]} if (groups := report.groups.get((target, load))) else {})
        | ({"cost": asdict(report.costs[target, load])} if (target, load) in report.costs else {})
        | _intervals_json(report, target, load)
        | telemetry_json(report, target, load)
        for (name, load), metrics in report.cells.items()
        if name == target
    }
    start = {"ttft_ms": first[0] * 1000, "e2e_ms": first[1] * 1000} if first else None
    return asdict(report.overall[target]) | {"cold": start, "by_load": by_load}


def _intervals_json(report: Report, target: str, load: str) -> dict[str, Any]:
    """Return the intervals of the rate and the cost, where there are enough blocks."""
    both = {"requests_per_s": report.rate_intervals, "usd_per_1000_requests": report.cost_intervals}
    intervals = {name: asdict(each[target, load]) for name, each in both.items() if (target, load) in each}
    return {"intervals": intervals} if intervals else {}


def report_markdown(report: Report) -> str:
    """Return the report as Markdown, to paste into an issue or a document."""
    settings = [f"{name}: {text}" for name, text in settings_rows(report)]
    parts = [
        *_title_parts(report),
        *_metrics_parts(report),
        *telemetry_markdown(report),
        *_quality_parts(report),
        *_judge_parts(report),
        "",
        *_items(_conclusions(report)),
        *_section(strings.REPRODUCE, settings),
        *_section(strings.TERMS, glossary_lines(quality_text.explained_labels(report))),
        "",
    ]
    return "\n".join(parts)


def _title_parts(report: Report) -> list[str]:
    header = report.run.header
    metrics_title = strings.metrics_title(TITLES[report.definition])
    about = f"{header['workload']['description']} · {moment(header['started'])} · {metrics_title}, times in ms"
    title = f"**{markdown_text(strings.versus(report.run.targets))}** · {markdown_text(about)}"
    return [title, "", f"**{markdown_text(headline(report))}**"]


def _metrics_parts(report: Report) -> list[str]:
    """Return the tables of metrics and costs, and what a search found."""
    rows = [tables.metrics_row(*key, metrics) for key, metrics in report.cells.items()]
    parts = ["", tables.markdown_table(strings.METRIC_HEADERS, rows)]
    if report.groups:
        parts += ["", tables.markdown_table(strings.GROUP_HEADERS, tables.group_rows(report)), "", strings.GROUPS_NOTE]
    for answer in report.capacities:
        parts += ["", markdown_text(answer.target), "", curve_table(answer)]
    if report.costs:
        costs = tables.markdown_table(strings.COST_HEADERS, tables.cost_rows(report))
        parts += ["", costs, "", *_items(report.cost_notes)]
    return parts


def _conclusions(report: Report) -> list[str]:
    """Return the verdicts on speed and cost, what to know about them, and how certain they are."""
    verdicts = [f"{each.load}: {verdict_text(each)}" for each in (*report.verdicts, *report.changes)]
    notes = [*([NOT_INTERLEAVED] if report.changes else []), *report.caveats]
    return [*verdicts, *(f"{strings.NOTE}: {text}" for text in notes), *([report.advice] if report.advice else [])]


def _quality_parts(report: Report) -> list[str]:
    """Return the shares of right answers, the verdicts on them, and the questions where targets differ."""
    if not report.quality:
        return []
    return [
        "",
        tables.markdown_table(quality_text.SHARE_HEADERS, quality_text.share_rows(report)),
        "",
        *_items(quality_text.verdict_lines(report)),
        *_differing_parts(report),
    ]


def _judge_parts(report: Report) -> list[str]:
    lines = judge_text.judge_lines(report)
    return _section(judge_text.TITLE, [*lines, judge_text.NOTE]) if lines else []


def _differing_parts(report: Report) -> list[str]:
    """Return the questions where targets differ, or that there are none."""
    rows, note = quality_text.differing_rows(report), quality_text.differing_note(report)
    if not (rows or note):
        return []
    headers = quality_text.differing_headers(report)
    return [
        "",
        f"{quality_text.DIFFERING}:",
        *(["", tables.markdown_table(headers, rows)] if rows else []),
        *(["", note] if note else []),
    ]


def _section(title: str, texts: Iterable[str]) -> list[str]:
    return ["", f"{title}:", "", *_items(texts)]


def _items(texts: Iterable[str]) -> list[str]:
    return [f"- {markdown_text(text)}" for text in texts]
