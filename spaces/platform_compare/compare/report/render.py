"""A report as HTML, everything escaped: for the page, and for the report that opens by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from compare.analyse.metrics import cold_start
from compare.analyse.verdict import Verdict
from compare.report import tables
from compare.report.report import APART, Report

WORDS = {"faster": "sp-good", "alike": "", "not distinguishable": "", "too few": "sp-dim"}


def verdict_html(report: Report) -> str:
    """What the run says, the sentences of each load; then what a reader must know before trusting it."""
    parts = [_sentences(report.verdicts, len(report.run.loads) > 1)]
    if report.changes:
        parts.append("<h4>Against the earlier run</h4>" + _sentences(report.changes, len(report.run.loads) > 1))
        parts.append('<p class="sp-note">' + escape(APART) + "</p>")
    if len(report.run.targets) == 1 and not report.changes:
        parts = ['<p class="sp-empty">One target alone has no verdict: name two, or compare with an earlier run.</p>']
    advice = f'<p class="sp-note">{escape(report.advice)}</p>' if report.advice else ""
    return f'<div class="sp-verdict">{"".join(parts)}{advice}{caveats_html(report.caveats)}</div>'


def caveats_html(texts: Sequence[str]) -> str:
    """Warnings as a list; nothing if there are none."""
    if not texts:
        return ""
    return f'<ul class="sp-caveats">{"".join(f"<li>{escape(text)}</li>" for text in texts)}</ul>'


def metrics_html(report: Report) -> str:
    """The figures by target and load, then all percentiles, folded."""
    rows = [tables.row(*key, found) for key, found in report.cells.items()]
    more = "".join(
        f"<h4>{escape(target)}, {escape(load)}</h4>"
        + table(("", "n", "mean", "p50", "p90", "p95", "p99"), tables.percentiles(found))
        for (target, load), found in report.cells.items()
    )
    objective = escape(report.objective.description)
    opened = any(record.concurrency is None for record in report.run.records)
    due = "; of open loops it and the verdict count from when a request was due" if opened else ""
    return (
        f"{table(tables.HEADS, rows, first=2)}"
        f'<p class="sp-note">Times in milliseconds, from the sending. Goodput: {objective}{due}. A dash stands '
        "where the sample is too small or the server does not report its tokens.</p>"
        f'<details class="sp-more"><summary>All percentiles</summary>{more}</details>'
        f'<details class="sp-more"><summary>Cold start, cache, the client itself</summary>{_client(report)}</details>'
    )


def cost_html(report: Report) -> str:
    """What it costs at the measured throughput, and where an hourly endpoint begins to pay."""
    if not report.costs:
        return '<p class="sp-empty">No target has a price. Name a machine or a price for each, such as 1.25/h.</p>'
    notes = "".join(f'<p class="sp-note">{escape(text)}</p>' for text in report.cost_notes)
    return table(tables.COST_HEADS, report.cost_rows, first=3) + notes


def reproduce_html(report: Report) -> str:
    """What is needed to repeat the run."""
    return table(("", ""), report.repetition, first=2)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, first: int = 1) -> str:
    """An HTML table that scrolls inside its own box; the `first` columns are text, the others numbers."""
    named = heads if any(heads) else ()
    head = "".join(
        f"<th>{escape(name)}</th>" if place < first else f'<th class="sp-num">{escape(name)}</th>'
        for place, name in enumerate(named)
    )
    body = "".join(f"<tr>{''.join(_cell(cell, place < first) for place, cell in enumerate(row))}</tr>" for row in rows)
    return f'<div class="sp-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, is_text: bool) -> str:
    return f"<td>{escape(text)}</td>" if is_text else f'<td class="sp-num">{escape(text)}</td>'


def _sentences(found: Sequence[Verdict], several: bool) -> str:
    told = [each for each in found if each.decision != "too few"]
    few = len(found) - len(told)
    items = "".join(
        f'<li class="{WORDS[each.decision]}">{escape(f"{each.load}: " if several else "")}{escape(each.text)}</li>'
        for each in told
    )
    note = f'<p class="sp-note">{few} comparisons have too few measurements to tell.</p>' if few else ""
    return f"<ul>{items}</ul>{note}"


def _client(report: Report) -> str:
    rows = []
    for (target, load), each in report.clients.items():
        found = report.cells[target, load]
        cached = "–" if found.cached_tokens is None else f"{found.cached_tokens:,}"
        share = "–" if each.cpu_share is None else f"{each.cpu_share:.0%}"
        new = f"{each.new_connections} of {each.known_connections}" if each.known_connections else "–"
        lags = (tables.milliseconds(each.lag_p50_ms), tables.milliseconds(each.lag_p99_ms))
        rows.append([target, load, _cold(report, target), cached, *lags, share, new])
    heads = (
        "target",
        "load",
        "cold first token",
        "cached tokens",
        "lag p50",
        "lag p99",
        "client CPU",
        "new connections",
    )
    note = "Client CPU holds the models that run in this process too."
    return table(heads, rows, first=2) + f'<p class="sp-note">{note}</p>'


def _cold(report: Report, target: str) -> str:
    start = cold_start(report.run, target)
    return tables.milliseconds(start[0] * 1000) if start else "–"
