"""The style that all charts share, and the colour of each target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from compare.analyse.quality.paired import Share
from compare.analyse.verdicts.rate_intervals import Interval

# Distinct for colour-blind readers, and bright enough for white and black backgrounds.
COLOURS = ("#e8590c", "#1c86ee", "#2b9348", "#a855f7", "#d6336c", "#0c9aa6", "#b08900", "#7c7c8a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GRID = "rgba(128,128,128,.25)"
TEXT = "#6b7280"
# A toolbar with less: what stays is saving the picture and resetting the axes.
TOOLS = ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale"]
LAYOUT: dict[str, Any] = {
    "modebar": {"remove": TOOLS, "bgcolor": "rgba(0,0,0,0)"},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    # Labels a little below the axis: at its corner, the first one would overlap that of the other axis.
    "xaxis": {"ticks": "outside", "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"},
    "font": {"family": "ui-sans-serif, system-ui, sans-serif", "size": 12, "color": TEXT},
}


def target_colours(targets: Sequence[str], catalog: Sequence[str] = ()) -> dict[str, str]:
    """Return a colour for each target. Its place in the catalogue decides, so it's the same in every run and race."""
    colours: dict[str, str] = {}
    free = list(COLOURS)
    for name in sorted(targets, key=lambda name: (name not in catalog, list(targets).index(name))):
        own = COLOURS[list(catalog).index(name) % len(COLOURS)] if name in catalog else ""
        colours[name] = own if own in free else (free or list(COLOURS))[0]
        if colours[name] in free:
            free.remove(colours[name])
    return colours


def error_bars(values: Sequence[tuple[float, Interval | Share]]) -> dict[str, Any]:
    """Return the bars of values with their intervals."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, each.high - value) for value, each in values],
        "arrayminus": [max(0.0, value - each.low) for value, each in values],
        "thickness": 2,
    }


def blank_figure(x: str, y: str = "", *, log_x: bool = False) -> go.Figure:
    """Return an empty figure with the titles of its axes."""
    figure = go.Figure()
    figure.update_layout(
        height=360,
        # The title is a heading above the figure, where no toolbar covers it; the margin is the toolbar's.
        margin={"l": 56, "r": 12, "t": 36, "b": 48},
        # At the bottom of the chart: on a phone, a long legend would overlap the title of the axis.
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "xanchor": "left", "x": 0},
        colorway=COLOURS,
        hovermode="closest",
        **LAYOUT,
    )
    figure.update_xaxes(title=x, gridcolor=GRID, zeroline=False, type="log" if log_x else "linear", automargin=True)
    figure.update_yaxes(title=y, gridcolor=GRID, zeroline=False, automargin=True)
    return figure
