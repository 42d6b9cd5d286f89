"""The style that all Plotly figures share."""

from __future__ import annotations

import plotly.graph_objects as go

# Distinct for colour-blind readers, and bright enough for white and black backgrounds.
COLOURS = ("#e8590c", "#1c86ee", "#2b9348", "#a855f7", "#d6336c", "#0c9aa6", "#b08900", "#7c7c8a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GRID = "rgba(128,128,128,.25)"
TEXT = "#6b7280"


def blank_figure(x: str, y: str = "", *, log_x: bool = False) -> go.Figure:
    """Return an empty figure with the titles of its axes."""
    figure = go.Figure()
    figure.update_layout(
        height=360,
        margin={"l": 56, "r": 12, "t": 40, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        title_font={"size": 14, "weight": 600},
        font={"family": "ui-sans-serif, system-ui, sans-serif", "size": 12, "color": TEXT},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "xanchor": "left", "x": 0},
        colorway=COLOURS,
        hovermode="closest",
    )
    figure.update_xaxes(title=x, gridcolor=GRID, zeroline=False, type="log" if log_x else "linear", automargin=True)
    figure.update_yaxes(title=y, gridcolor=GRID, zeroline=False, automargin=True)
    return figure
