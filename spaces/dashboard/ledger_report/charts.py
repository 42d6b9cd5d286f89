"""Draws the ledger's lines as Plotly bars: days from left to right, owners and targets from the largest down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from compare.report.charts.chart_style import COLOURS, GRID, LAYOUT
from gateway.database.report import ReportLine
from ledger_report.table import NO_NAME, cache_share, cost_usd

MAX_BARS = 8  # of owners or targets; the table has all
MAX_LABEL = 18  # characters: a phone has room for no more
Values = Mapping[str, Callable[[ReportLine], float]]  # the parts of a bar by their names

CHARTS: Mapping[str, Values] = {
    "Cost, USD": {"cost": cost_usd},
    "Requests": {"requests": lambda line: line.requests},
    "Tokens": {"in": lambda line: line.input_tokens, "out": lambda line: line.output_tokens},
    "Failed requests": {"failed": lambda line: line.errors, "refused by the gateway": lambda line: line.refused},
    "From the cache, % of requests": {"from the cache": lambda line: (cache_share(line) or 0) * 100},
    "First token, mean in ms": {"first token": lambda line: (line.first_token_seconds or 0) * 1000},
}


def draw_charts(lines: Sequence[ReportLine], group: str) -> dict[str, go.Figure]:
    """Return a figure for each title of `CHARTS`; those whose values are all 0 are left out."""
    draw = _days if group == "day" else _names
    used = {title: parts for title, parts in CHARTS.items() if any(_sum(line, parts) for line in lines)}
    return {title: draw(lines, parts) for title, parts in used.items()}


def _days(lines: Sequence[ReportLine], parts: Values) -> go.Figure:
    figure = _figure(parts, 260)
    for (name, value), colour in zip(parts.items(), COLOURS, strict=False):
        days = [line.name for line in lines]
        # A day's width: with few days, Plotly would draw bars of hours or of months.
        figure.add_bar(x=days, y=[*map(value, lines)], name=name, marker_color=colour, width=0.8 * 86_400_000)
    figure.update_xaxes(type="date", tickformat="%-d %b", gridcolor=GRID, nticks=6, tickangle=0)
    if len(lines) == 1:
        figure.update_xaxes(tickvals=[lines[0].name])
    figure.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, rangemode="tozero")
    return figure


def _names(lines: Sequence[ReportLine], parts: Values) -> go.Figure:
    """Draw a bar for each owner or target. Their places are numbers: shortened names can be equal."""
    largest = sorted(lines, key=lambda line: -_sum(line, parts))[:MAX_BARS]
    figure = _figure(parts, 112 + 30 * len(largest))
    places = [*range(len(largest))]
    for (name, value), colour in zip(parts.items(), COLOURS, strict=False):
        texts = [escape(line.name or NO_NAME) for line in largest]
        figure.add_bar(
            y=places, x=[*map(value, largest)], name=name, marker_color=colour, orientation="h", width=0.7,
            hovertext=texts,
        )  # fmt: skip
    figure.update_xaxes(gridcolor=GRID, zeroline=False, rangemode="tozero", nticks=5, tickangle=0)
    figure.update_yaxes(
        tickvals=places, ticktext=[escape(_short(line.name or NO_NAME)) for line in largest], automargin=True,
        range=[max(len(places), 2) - 0.5, -0.5], showgrid=False, zeroline=False,
        ticks="outside", ticklen=6, tickcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def _figure(parts: Values, height: int) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 48, "r": 12, "t": 34, "b": 56 if len(parts) > 1 else 32},
        barmode="stack",
        legend={"orientation": "h", "xanchor": "left", "x": 0, "traceorder": "normal"},
        showlegend=len(parts) > 1,
        **LAYOUT,
    )
    return figure


def _sum(line: ReportLine, parts: Values) -> float:
    return sum(value(line) for value in parts.values())


def _short(name: str) -> str:
    return name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"
