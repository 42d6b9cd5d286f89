"""Draws a panel as a Plotly figure in the comparator's colours, readable in dark and light and at 390 pixels."""

from __future__ import annotations

from datetime import UTC, datetime

import plotly.graph_objects as go

from compare.report.charts.chart_style import COLOURS, DASHES, GRID, LAYOUT
from compare.report.words.formats import milliseconds, rate
from live_metrics.metric_values import Line, PanelReading

MAX_LINES = 8  # a chart with more is unreadable


def draw_panel(reading: PanelReading, since: float, until: float) -> go.Figure:
    """Draw the panel's lines from `since` to `until` (seconds since 1970), with a gap where there is no value."""
    figure = go.Figure()
    for index, line in enumerate(_busiest_lines(reading)):
        figure.add_scatter(
            x=[_moment(seconds) for seconds in line.times],
            y=line.values,
            name=line.label,
            mode="lines",
            connectgaps=False,
            line={"color": COLOURS[index % len(COLOURS)], "dash": DASHES[index % len(DASHES)], "width": 2},
        )
    figure.update_layout(
        height=260,
        margin={"l": 48, "r": 12, "t": 34, "b": 56},
        legend={"orientation": "h", "xanchor": "left", "x": 0},
        hovermode="x unified",
        showlegend=True,
        **LAYOUT,
    )
    figure.update_xaxes(
        gridcolor=GRID,
        zeroline=False,
        range=[_moment(since), _moment(until)],
        tickformat="%H:%M",
        tickangle=0,
        nticks=6,
    )
    figure.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, rangemode="tozero")
    return figure


def panel_title(reading: PanelReading) -> str:
    """Return the heading of a panel, which is outside of the picture: a toolbar would cover it there."""
    title, unit = reading.panel.title, reading.panel.unit
    return unit.capitalize() if unit.startswith(f"{title.lower()}/") else f"{title}, {unit}"


def format_current(reading: PanelReading) -> str:
    """Return the current number with its unit, or a dash if there is none."""
    unit, value = reading.panel.unit, reading.current
    if value is None:
        return "–"
    number = milliseconds(value) if unit == "ms" else rate(value) if value else "0"
    return f"{number}{unit}" if unit.startswith("%") else f"{number} {unit}"


def _busiest_lines(reading: PanelReading) -> list[Line]:
    """Return at most `MAX_LINES` lines in their original order, so that each keeps its colour."""
    busiest = sorted(reading.lines, key=lambda line: -max(filter(None, line.values), default=0))[:MAX_LINES]
    return [line for line in reading.lines if line in busiest]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
