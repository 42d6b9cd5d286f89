"""A report as HTML for the page and for the stand-alone file; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from compare.analyse.metrics.metrics import Metrics, cold_start
from compare.analyse.verdicts.verdict import Finding, Verdict
from compare.capacity.result import Capacity
from compare.report import tables
from compare.report.report import Report
from compare.report.views.html_table import table
from compare.report.words import strings
from compare.report.words.capacity_text import answer_lines, curve_headers, curve_rows
from compare.report.words.cost_text import NO_PRICE
from compare.report.words.formats import MISSING, milliseconds, percent
from compare.report.words.glossary import glossary_html
from compare.report.words.quality_text import explained_labels, verdict_lines
from compare.report.words.settings_text import settings_rows
from compare.report.words.verdict_text import NOT_INTERLEAVED, NOTHING_SHARED, ONE_TARGET, too_few_text, verdict_text


def verdict_html(report: Report) -> str:
    """Return the verdicts on quality, those on times by load or the curves of a search, and how certain they are."""
    curves = "".join(curve_html(each, f"curve-{number}") for number, each in enumerate(report.capacities))
    quality = "".join(f"<li>{escape(text)}</li>" for text in verdict_lines(report))
    parts = [f"<ul>{quality}</ul>" if quality else "", curves or _verdict_lists(report.verdicts)]
    if report.changes:
        parts.append(subtitle(strings.EARLIER) + _verdict_lists(report.changes))
        parts.append(note(NOT_INTERLEAVED))
    elif report.earlier:
        parts.append(subtitle(strings.EARLIER) + note(NOTHING_SHARED))
    if len(report.run.targets) == 1 and not (report.earlier or curves):
        parts = [f'<p class="sp-empty">{escape(ONE_TARGET)}</p>']
    advice = note(report.advice) if report.advice else ""
    return f'<div class="sp-verdict">{"".join(parts)}{advice}</div>'


def metrics_html(report: Report) -> str:
    """Return the metrics by target and load; all percentiles and the client's load are folded."""
    rows = [tables.metrics_row(*key, metrics) for key, metrics in report.cells.items()]
    percentiles = "".join(
        subtitle(f"{target}, {load}")
        + table(
            strings.PERCENTILE_HEADERS, tables.percentile_rows(metrics), key=f"percentiles-{number}", row_terms=True
        )
        for number, ((target, load), metrics) in enumerate(report.cells.items())
    )
    return (
        table(strings.METRIC_HEADERS, rows, text_columns=2, key="metrics")
        + note(strings.metrics_note(report.objective, open_loop=report.has_open_loop))
        + _groups_html(report)
        + _details(strings.PERCENTILES, percentiles)
        + _details(strings.CLIENT, _client_html(report))
        + _details(strings.TERMS, glossary_html(explained_labels(report)))
    )


def cost_html(report: Report) -> str:
    """Return the cost at the measured throughput, and the break-even points of hourly endpoints."""
    if not report.costs:
        return f'<p class="sp-empty">{escape(NO_PRICE)}</p>'
    notes = "".join(map(note, report.cost_notes))
    return table(strings.COST_HEADERS, tables.cost_rows(report), text_columns=3, key="cost") + notes


def reproduce_html(report: Report) -> str:
    """Return everything that is needed to reproduce the run."""
    rows = table(("", ""), settings_rows(report), text_columns=2, key="settings")
    return f'<div class="sp-settings">{rows}</div>'


def note(text: str) -> str:
    """Return a paragraph in small letters."""
    return f'<p class="sp-note">{escape(text)}</p>'


def subtitle(text: str) -> str:
    """Return a small heading. It's no heading element, whose level would have to fit every page that shows it."""
    return f'<p class="sp-subtitle">{escape(text)}</p>'


def curve_html(answer: Capacity, key: str) -> str:
    """Return what a search found out about a target: the sentences, and a row for each load; `key` is unique."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in answer_lines(answer))
    return subtitle(answer.target) + f"<ul>{lines}</ul>" + table(curve_headers(answer), curve_rows(answer), key=key)


def _details(title: str, body: str) -> str:
    return f'<details class="sp-more"><summary>{escape(title)}</summary>{body}</details>'


def _verdict_lists(verdicts: Sequence[Verdict]) -> str:
    """Return a list of the verdicts for each load, with the load as its heading if there are several."""
    loads = list(dict.fromkeys(verdict.load for verdict in verdicts))
    parts = []
    for load in loads:
        decided = [v for v in verdicts if v.load == load and v.decision is not Finding.TOO_FEW_MEASUREMENTS]
        items = "".join(f"<li>{escape(verdict_text(verdict))}</li>" for verdict in decided)
        heading = subtitle(load) if len(loads) > 1 else ""
        parts.append(f"{heading}<ul>{items}</ul>" if items else "")
    too_few = sum(verdict.decision is Finding.TOO_FEW_MEASUREMENTS for verdict in verdicts)
    return "".join(parts) + (note(too_few_text(too_few)) if too_few else "")


def _client_html(report: Report) -> str:
    rows = []
    for (target, load), client in report.client_loads.items():
        metrics = report.cells[target, load]
        known = client.known_connections
        rows.append(
            [
                target,
                load,
                _cold_start(report, target),
                _mean_tokens(metrics),
                percent(_cached_share(metrics)),
                milliseconds(client.lag_p50_ms),
                milliseconds(client.lag_p99_ms),
                percent(client.cpu_share),
                f"{client.new_connections} of {known}" if known else MISSING,
            ]
        )
    return table(strings.CLIENT_HEADERS, rows, text_columns=2, key="client") + note(strings.CLIENT_NOTE)


def _groups_html(report: Report) -> str:
    if not report.groups:
        return ""
    rows = table(strings.GROUP_HEADERS, tables.group_rows(report), text_columns=3, key="groups")
    return subtitle(strings.GROUPS) + rows + note(strings.GROUPS_NOTE)


def _mean_tokens(metrics: Metrics) -> str:
    return MISSING if metrics.input_tokens is None else f"{metrics.input_tokens / metrics.succeeded:,.0f}"


def _cached_share(metrics: Metrics) -> float | None:
    if metrics.cached_tokens is None or not metrics.input_tokens:
        return None
    return metrics.cached_tokens / metrics.input_tokens


def _cold_start(report: Report, target: str) -> str:
    start = cold_start(report.run, target)
    return milliseconds(start[0] * 1000) if start else MISSING
