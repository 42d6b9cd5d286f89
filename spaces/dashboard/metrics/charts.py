"""A panel as a Plotly figure in the comparator's colours, readable in dark and light and at 390 pixels."""

from __future__ import annotations

from datetime import UTC, datetime

import plotly.graph_objects as go

from compare.report.charts import COLOURS, DASHES, GRID, TEXT
from compare.report.tables import milliseconds, rate
from metrics.readings import Drawn, Line

# Beyond so many lines a picture tells nothing; the busiest are drawn.
LINES = 8


def picture(drawn: Drawn, since: float, until: float) -> go.Figure:
    """The panel's lines from `since` to `until` (seconds since 1970); a gap stands where there was nothing to tell."""
    figure = go.Figure()
    for place, line in enumerate(_shown(drawn)):
        figure.add_scatter(
            x=[_moment(at) for at in line.times],
            y=line.values,
            name=line.label,
            mode="lines",
            connectgaps=False,
            line={"color": COLOURS[place % len(COLOURS)], "dash": DASHES[place % len(DASHES)], "width": 2},
        )
    figure.update_layout(
        height=260,
        margin={"l": 48, "r": 12, "t": 34, "b": 56},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        title={
            "text": f"{drawn.panel.title}, {drawn.panel.unit}",
            "x": 0,
            "xref": "paper",
            "font": {"size": 14, "weight": 600},
        },
        font={"family": "ui-sans-serif, system-ui, sans-serif", "size": 12, "color": TEXT},
        legend={"orientation": "h", "xanchor": "left", "x": 0},
        hovermode="x unified",
        showlegend=True,
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


def _shown(drawn: Drawn) -> list[Line]:
    """The lines in their own order, so that each keeps its colour; of too many the busiest."""
    busiest = sorted(drawn.lines, key=lambda line: -max(filter(None, line.values), default=0))[:LINES]
    return [line for line in drawn.lines if line in busiest]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def figure_of(drawn: Drawn) -> str:
    """The figure of now, with its unit; a dash where the last minutes hold nothing to tell."""
    if drawn.now is None:
        return "–"
    number = milliseconds(drawn.now) if drawn.panel.unit == "ms" else rate(drawn.now) if drawn.now else "0"
    return f"{number} {drawn.panel.unit}"
