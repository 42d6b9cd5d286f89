"""A race's columns as HTML and Markdown, with everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from compare.race import RaceColumn
from compare.report import strings
from compare.report.formats import MISSING, rate, usd
from compare.votes import LETTERS
from ui.markdown import safe_markdown


def head_html(column: RaceColumn, place: int, *, hidden: bool) -> str:
    """Return a column's head: name, state, times and cost; the thoughts fold when the answer begins."""
    name = strings.answer_label(LETTERS[place]) if hidden else column.title
    state = f'<span class="sp-state sp-{column.state}">{strings.RACE_STATES[column.state]}</span>'
    header = f"<header><b>{escape(name)}</b>{state}</header>"
    return f'<div class="sp-race">{header}{_times_html(column, hidden)}{_thoughts_html(column)}</div>'


def body_markdown(column: RaceColumn) -> str:
    """Return the answer so far, or the error with its remedy."""
    if column.error is None:
        return safe_markdown(column.answer)
    message = f"> **{safe_markdown(' '.join(column.error.message.split()))}**"
    remedy = f"\n>\n> {safe_markdown(' '.join(column.error.remedy.split()))}" if column.error.remedy else ""
    return f"{safe_markdown(column.answer)}\n\n{message}{remedy}"


def standings_html(rows: Sequence[tuple[str, int, int]]) -> str:
    """Return how many races each target won, or "" without votes."""
    return f'<p class="sp-note">{escape(strings.standings_text(rows))}</p>' if rows else ""


def _times_html(column: RaceColumn, hidden: bool) -> str:
    stopwatch, usage = column.stopwatch, column.stopwatch.usage
    tokens = strings.token_counts_text(usage.input_tokens, usage.output_tokens) if usage else MISSING
    values = {
        strings.RACE_TTFT: _seconds(stopwatch.first_token_seconds),
        strings.RACE_RATE: rate(stopwatch.tokens_per_second),
        strings.RACE_END_TO_END: _seconds(stopwatch.total_seconds),
        strings.RACE_TOKENS: tokens,
    }
    if not hidden:  # the cost would reveal the target
        values[strings.RACE_COST] = MISSING if column.cost is None else f"{usd(column.cost)} USD"
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in values.items())
    return f"<dl>{cells}</dl>"


def _thoughts_html(column: RaceColumn) -> str:
    if not column.thought:
        return ""
    is_open = " open" if column.state == "thinking" else ""
    summary = f"<summary>{strings.THOUGHTS}</summary>"
    return f'<details class="sp-more"{is_open}>{summary}<p>{escape(column.thought)}</p></details>'


def _seconds(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f} s"
