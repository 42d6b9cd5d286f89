"""A leaderboard as HTML for the page and as text for a terminal; everything in it is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from compare.publish.results import Results
from compare.publish.schema import ResultRow
from compare.report.overview.cards import caveats_html
from compare.report.tables import markdown_table, markdown_text
from compare.report.views.html_table import Columns
from compare.report.views.render import note
from compare.report.words.formats import MISSING, milliseconds, rate, usd

HEADERS = ("target", "model", "workload, load", "right", "TTFT p50", "TTFT p95", "E2E p50", "tokens/s",
           "USD per 1,000 requests", "failed", "measured")  # fmt: skip
COLUMNS = Columns(HEADERS, "leaderboard", text_columns=3)
MAX_SHOWN = 200
COMPARABLE = (
    "Only rows of one run were measured in turns. Rows of different runs also differ in machine, time and load, so a "
    "small difference between them says little. Times are in milliseconds."
)
NO_ROWS = "No result fits these filters."
NOTHING_PUBLISHED = (
    "This dataset has no results yet. To add one: python -m compare publish RUN --repo {dataset} --apply"
)


def leaderboard_html(results: Results, rows: Sequence[ResultRow]) -> str:
    """Return the rows as a table; rows of one run that follow each other share its verdict."""
    problems = "".join(note(problem) for problem in results.problems)
    if not rows:
        return f'<p class="sp-empty">{escape(_nothing(results))}</p>{problems}'
    body = "".join(_run_html(list(each)) for _, each in groupby(rows[:MAX_SHOWN], key=lambda row: row.run))
    table = f'<div class="sp-table sp-leaderboard"><table>{COLUMNS.head()}{body}</table>{COLUMNS.tips()}</div>'
    return table + note(COMPARABLE) + (note(_cut(rows)) if len(rows) > MAX_SHOWN else "") + problems


def leaderboard_markdown(results: Results, rows: Sequence[ResultRow]) -> str:
    """Return the rows as a Markdown table, then the verdict and the caveats of each run."""
    if not rows:
        return "\n".join([_nothing(results), *results.problems]) + "\n"
    table = markdown_table(HEADERS, [cells(row) for row in rows[:MAX_SHOWN]])
    runs = {row.run: row for row in reversed(rows[:MAX_SHOWN])}
    verdicts = [
        f"- {row.run}: {markdown_text(' '.join([row.headline, *(f'Note: {each}' for each in row.caveats)]))}"
        for row in reversed(runs.values())
    ]
    cut = [_cut(rows)] if len(rows) > MAX_SHOWN else []
    return "\n".join([table, "", *verdicts, "", COMPARABLE, *cut, *map(markdown_text, results.problems), ""])


def leaderboard_json(results: Results, rows: Sequence[ResultRow]) -> dict[str, Any]:
    """Return the rows as plain values."""
    return {
        "version": 1,
        "dataset": results.dataset,
        "commit": results.commit,
        "rows": [row.model_dump() for row in rows],
        "problems": list(results.problems),
    }


def cells(row: ResultRow) -> list[str]:
    """Return the cells of a row as text, below `HEADERS`."""
    return [
        row.target,
        row.model or row.kind or MISSING,
        f"{row.workload}, {row.load}",
        _share(row),
        *map(milliseconds, (row.ttft_ms_p50, row.ttft_ms_p95, row.e2e_ms_p50)),
        rate(row.output_tokens_per_s),
        usd(row.usd_per_1000_requests),
        f"{row.failed:,} of {row.requests:,}",
        row.started[:10],
    ]


def _share(row: ResultRow) -> str:
    if row.right_share is None:
        return MISSING
    is_ranged = row.right_low is not None and row.right_high is not None
    span = f" ({row.right_low:.0%} to {row.right_high:.0%})" if is_ranged else ""
    return f"{row.right_share:.0%}{span}"


def _run_html(rows: Sequence[ResultRow]) -> str:
    """Return rows of one run, and below them its verdict with the caveats behind a line that counts them."""
    verdict = f"<p>{escape(rows[0].headline)}</p>{caveats_html(rows[0].caveats)}"
    return (
        f"<tbody>{''.join(COLUMNS.row(cells(row)) for row in rows)}"
        f'<tr class="sp-below"><td colspan="{len(HEADERS)}">{verdict}</td></tr></tbody>'
    )


def _nothing(results: Results) -> str:
    return NO_ROWS if results.rows else NOTHING_PUBLISHED.format(dataset=results.dataset)


def _cut(rows: Sequence[ResultRow]) -> str:
    return f"These are the first {MAX_SHOWN} of {len(rows):,} rows: filter them to see others."
