"""A race's columns as HTML and Markdown, with everything escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from compare.interactive.race import Race, RaceColumn
from compare.interactive.votes import LETTERS
from compare.report.words import race_text
from compare.report.words.formats import MISSING, rate, usd
from compare.report.words.glossary import term_html
from ui.markdown import safe_markdown

SHOWN_LOAD_SECONDS = 0.1  # less isn't a load: the model was there


def column_view(race: Race, place: int, colours: Mapping[str, str]) -> tuple[str, str]:
    """Return a column's head as HTML and its text as Markdown.

    While the names are hidden, nothing that differs between targets is shown but the answers, and these only together:
    a pace, a thought, an error's wording or a token count can give a target away.
    """
    column = race.columns[place]
    if not race.hidden:
        longest = max(each.elapsed_seconds for each in race.columns)
        key = f"race-{place}" if race.over else ""
        return head_html(column, colours.get(column.target, ""), longest, key), body_markdown(column)
    label = escape(race_text.answer_label(LETTERS[place]))
    head = f'<div class="sp-race"><header><b>{label}</b></header></div>'
    return head, (safe_markdown(column.answer) or race_text.NO_ANSWER) if race.over else race_text.HIDDEN_UNTIL_DONE


def head_html(column: RaceColumn, colour: str = "", longest: float = 0.0, key: str = "") -> str:
    """Return a column's head: name, state, times and cost; the thoughts fold when the answer begins.

    `longest` is the time of the slowest column in seconds; its bar is full. With a `key`, which is unique on the page,
    the terms are explained: not in a head that is drawn ten times a second, which would close an explanation.
    """
    words = race_text.LENGTH_LIMIT if column.is_cut else race_text.STATES[column.state]
    state = f'<span class="sp-state sp-{column.state}">{words}</span>'
    title = f"<p>{escape(column.title)}</p>" if column.title != column.target else ""
    style = f' style="--sp-colour:{colour}"' if colour else ""
    header = f"<header><b>{escape(column.target)}</b>{state}</header>{title}"
    times = _timeline_html(column, longest) + _times_html(column, key)
    return f'<div class="sp-race"{style}>{header}{times}{_thoughts_html(column)}</div>'


def body_markdown(column: RaceColumn) -> str:
    """Return the answer so far, or the error with its remedy."""
    if column.error is None:
        return safe_markdown(column.answer)
    message = f"> **{safe_markdown(' '.join(column.error.message.split()))}**"
    remedy = f"\n>\n> {safe_markdown(' '.join(column.error.remedy.split()))}" if column.error.remedy else ""
    return f"{safe_markdown(column.answer)}\n\n{message}{remedy}"


def standings_html(rows: Sequence[tuple[str, int, int]]) -> str:
    """Return how many races each target won, or "" without votes."""
    return f'<p class="sp-note">{escape(race_text.standings_text(rows))}</p>' if rows else ""


def _timeline_html(column: RaceColumn, longest: float) -> str:
    """Return a bar for the race so far: pale until the first token, then in the target's colour."""
    if not longest:
        return ""
    elapsed = column.elapsed_seconds
    wait = elapsed if column.stopwatch.first_token_seconds is None else column.stopwatch.first_token_seconds
    parts = "".join(f'<i style="width:{seconds / longest:.1%}"></i>' for seconds in (wait, max(0.0, elapsed - wait)))
    return f'<div class="sp-timeline" aria-hidden="true">{parts}</div>'


def _times_html(column: RaceColumn, key: str) -> str:
    stopwatch, usage = column.stopwatch, column.stopwatch.usage
    tokens = race_text.token_counts_text(usage.input_tokens, usage.output_tokens) if usage else MISSING
    load = column.load_seconds or 0.0
    values = {
        race_text.TTFT: _seconds(stopwatch.first_token_seconds),
        race_text.RATE: rate(stopwatch.tokens_per_second),
        race_text.END_TO_END: _seconds(stopwatch.total_seconds),
        race_text.TOKENS: tokens,
        race_text.COST: MISSING if column.cost is None else f"{usd(column.cost)} USD",
        **({race_text.LOAD: _seconds(load)} if load >= SHOWN_LOAD_SECONDS else {}),
    }
    names = [term_html(name, f"{key}-{place}") if key else name for place, name in enumerate(values)]
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in zip(names, values.values(), strict=True)
    )
    return f"<dl>{cells}</dl>"


def _thoughts_html(column: RaceColumn) -> str:
    if not column.thought:
        return ""
    is_open = " open" if column.state == "thinking" else ""
    summary = f"<summary>{race_text.THOUGHTS}</summary>"
    return f'<details class="sp-more"{is_open}>{summary}<p>{escape(column.thought)}</p></details>'


def _seconds(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f} s"
