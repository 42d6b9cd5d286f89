"""A report as HTML for the page and for the stand-alone file; everything is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from compare.analyse.metrics import cold_start
from compare.analyse.verdict import Finding, Verdict
from compare.report import strings, tables
from compare.report.export import cost_rows
from compare.report.formats import MISSING, milliseconds, percent
from compare.report.report import Report
from compare.report.settings_text import settings_rows

VERDICT_CLASSES = {
    Finding.FASTER: "sp-good",
    Finding.EQUALLY_FAST: "",
    Finding.NOT_DISTINGUISHABLE: "",
    Finding.TOO_FEW_MEASUREMENTS: "sp-dim",
}


def verdict_html(report: Report) -> str:
    """Return the run's verdicts by load, then what a reader needs to know before trusting them."""
    by_load = len(report.run.loads) > 1
    parts = [_verdict_list(report.verdicts, by_load)]
    if report.changes:
        parts.append(f"<h4>{escape(strings.EARLIER)}</h4>" + _verdict_list(report.changes, by_load))
        parts.append(_note(strings.NOT_INTERLEAVED))
    if len(report.run.targets) == 1 and not report.changes:
        parts = [f'<p class="sp-empty">{escape(strings.ONE_TARGET)}</p>']
    advice = _note(report.advice) if report.advice else ""
    return f'<div class="sp-verdict">{"".join(parts)}{advice}{caveats_html(report.caveats)}</div>'


def caveats_html(texts: Sequence[str]) -> str:
    """Return the caveats as a list, or "" without caveats."""
    if not texts:
        return ""
    return f'<ul class="sp-caveats">{"".join(f"<li>{escape(text)}</li>" for text in texts)}</ul>'


def metrics_html(report: Report) -> str:
    """Return the metrics by target and load; all percentiles and the client's load are folded."""
    rows = [tables.metrics_row(*key, metrics) for key, metrics in report.cells.items()]
    percentiles = "".join(
        f"<h4>{escape(target)}, {escape(load)}</h4>"
        + table(strings.PERCENTILE_HEADERS, tables.percentile_rows(metrics))
        for (target, load), metrics in report.cells.items()
    )
    return (
        table(strings.METRIC_HEADERS, rows, text_columns=2)
        + _note(strings.metrics_note(report.objective, open_loop=report.has_open_loop))
        + _details(strings.PERCENTILES, percentiles)
        + _details(strings.CLIENT, _client_html(report))
    )


def cost_html(report: Report) -> str:
    """Return the cost at the measured throughput, and the break-even points of hourly endpoints."""
    if not report.costs:
        return f'<p class="sp-empty">{escape(strings.NO_PRICE)}</p>'
    return table(strings.COST_HEADERS, cost_rows(report), text_columns=3) + "".join(map(_note, report.cost_notes))


def reproduce_html(report: Report) -> str:
    """Return everything that is needed to reproduce the run."""
    return table(("", ""), settings_rows(report), text_columns=2)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1) -> str:
    """Return an HTML table that scrolls in its own box; columns after the first `text_columns` are numbers."""
    names = headers if any(headers) else ()
    head = "".join(
        f"<th>{escape(name)}</th>" if place < text_columns else f'<th class="sp-num">{escape(name)}</th>'
        for place, name in enumerate(names)
    )
    body = "".join(
        f"<tr>{''.join(_cell(cell, place < text_columns) for place, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="sp-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, is_text: bool) -> str:
    return f"<td>{escape(text)}</td>" if is_text else f'<td class="sp-num">{escape(text)}</td>'


def _note(text: str) -> str:
    return f'<p class="sp-note">{escape(text)}</p>'


def _details(title: str, body: str) -> str:
    return f'<details class="sp-more"><summary>{escape(title)}</summary>{body}</details>'


def _verdict_list(verdicts: Sequence[Verdict], by_load: bool) -> str:
    decided = [verdict for verdict in verdicts if verdict.decision is not Finding.TOO_FEW_MEASUREMENTS]
    too_few = len(verdicts) - len(decided)
    items = "".join(
        f'<li class="{VERDICT_CLASSES[verdict.decision]}">{escape(f"{verdict.load}: " if by_load else "")}'
        f"{escape(strings.verdict_text(verdict))}</li>"
        for verdict in decided
    )
    return f"<ul>{items}</ul>" + (_note(strings.too_few_text(too_few)) if too_few else "")


def _client_html(report: Report) -> str:
    rows = []
    for (target, load), client in report.client_loads.items():
        cached = report.cells[target, load].cached_tokens
        known = client.known_connections
        rows.append(
            [
                target,
                load,
                _cold_start(report, target),
                MISSING if cached is None else f"{cached:,}",
                milliseconds(client.lag_p50_ms),
                milliseconds(client.lag_p99_ms),
                percent(client.cpu_share),
                f"{client.new_connections} of {known}" if known else MISSING,
            ]
        )
    return table(strings.CLIENT_HEADERS, rows, text_columns=2) + _note(strings.CLIENT_NOTE)


def _cold_start(report: Report, target: str) -> str:
    start = cold_start(report.run, target)
    return milliseconds(start[0] * 1000) if start else MISSING
