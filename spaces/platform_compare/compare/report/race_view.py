"""A race's columns as HTML and Markdown, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from compare.race import RaceColumn
from compare.report import tables
from compare.votes import LETTERS
from ui.markdown import safe_markdown

STATES = {
    "waiting": "waiting for the first token",
    "thinking": "thinking",
    "answering": "answering",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
}


def head(lane: RaceColumn, place: int, *, hidden: bool) -> str:
    """The top of a column: who, how far, how fast, for how much; the thoughts folded once the answer begins."""
    name = f"Answer {LETTERS[place]}" if hidden else lane.title
    state = f'<span class="sp-state sp-{lane.state}">{STATES[lane.state]}</span>'
    header = f"<header><b>{escape(name)}</b>{state}</header>"
    return f'<div class="sp-lane">{header}{_figures(lane, hidden)}{_thought(lane)}</div>'


def body(lane: RaceColumn) -> str:
    """The answer so far, or the error and what to do about it."""
    if lane.error is None:
        return safe_markdown(lane.answer)
    told = f"> **{safe_markdown(' '.join(lane.error.message.split()))}**"
    remedy = f"\n>\n> {safe_markdown(' '.join(lane.error.remedy.split()))}" if lane.error.remedy else ""
    return f"{safe_markdown(lane.answer)}\n\n{told}{remedy}"


def standing(rows: Sequence[tuple[str, int, int]]) -> str:
    """How often each target was voted for."""
    if not rows:
        return ""
    told = " · ".join(f"{escape(name)} {won} of {ran}" for name, won, ran in rows)
    return f'<p class="sp-note">Your votes: {told}</p>'


def _figures(lane: RaceColumn, hidden: bool) -> str:
    watch = lane.stopwatch
    named = {
        "first token": _seconds(watch.first_token_seconds),
        "tokens/s": tables.rate(watch.tokens_per_second),
        "end to end": _seconds(watch.total_seconds),
        "tokens": f"{watch.usage.input_tokens:,} in, {watch.usage.output_tokens:,} out" if watch.usage else "–",
    }
    if not hidden:  # what it costs would give away who it is
        named["cost"] = "–" if lane.cost is None else f"{tables.usd(lane.cost)} USD"
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in named.items())
    return f"<dl>{cells}</dl>"


def _thought(lane: RaceColumn) -> str:
    if not lane.thought:
        return ""
    is_open = " open" if lane.state == "thinking" else ""
    return f'<details class="sp-more"{is_open}><summary>Thoughts</summary><p>{escape(lane.thought)}</p></details>'


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"
