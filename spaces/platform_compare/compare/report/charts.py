"""The pictures of a run, as Plotly figures that are readable in dark and light and at 390 pixels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import plotly.graph_objects as go

from compare.analyse import verdict
from compare.analyse.definitions import DEFINITIONS
from compare.records import Record
from compare.report.report import Report

# Distinct for people who see colours differently, and of a brightness that works on white and on black.
COLOURS = ("#e8590c", "#1c86ee", "#2b9348", "#a855f7", "#d6336c", "#0c9aa6", "#b08900", "#7c7c8a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GRID = "rgba(128,128,128,.25)"
TEXT = "#6b7280"


def draw_charts(report: Report) -> dict[str, go.Figure]:
    """All pictures that the run has data for, by their title."""
    drawn: dict[str, Callable[[Report], go.Figure]] = {
        "How sure the differences are": differences,
        "First tokens": first_tokens,
        "Gaps inside one answer": gaps,
        "Throughput against latency": throughput,
        "Cost against latency": cost,
    }
    found = {title: draw(report) for title, draw in drawn.items()}
    for title, figure in found.items():
        figure.update_layout(title={"text": title, "x": 0, "xref": "paper", "y": 0.98, "yref": "container"})
    return {title: figure for title, figure in found.items() if figure.data}


def differences(report: Report) -> go.Figure:
    """Each comparison as a ratio with its interval; one that crosses 1 is not distinguishable."""
    figure = _figure("times faster", log_x=True)
    told = [each for each in (*report.verdicts, *report.changes) if each.ratio is not None]
    winners = [each.faster if each.decision == "faster" else "" for each in told]
    for winner in sorted(set(winners), reverse=True):
        chosen = [(row, each) for row, each in enumerate(told) if winners[row] == winner]
        figure.add_scatter(
            x=[each.ratio for _, each in chosen],
            y=[row for row, _ in chosen],
            mode="markers",
            name=f"{winner} is faster" if winner else "not distinguishable",
            marker={"size": 9, "color": _colour(report, winner.split(" (")[0]) if winner else TEXT},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(each.high or 0) - (each.ratio or 0) for _, each in chosen],
                "arrayminus": [(each.ratio or 0) - (each.low or 0) for _, each in chosen],
                "thickness": 2,
            },
            hovertext=[each.text for _, each in chosen],
            hoverinfo="text",
        )
    for row, label in enumerate(_labels(told)):  # above its line: beside it, a telephone would have no room left
        figure.add_annotation(
            x=0, y=row, text=label, xref="paper", xanchor="left", yshift=13, showarrow=False, font={"size": 11}
        )
    figure.add_vline(1, line={"color": TEXT, "dash": "dot"})
    figure.update_yaxes(range=[len(told) - 0.5, -0.9], showticklabels=False, showgrid=False)
    height = 150 + 42 * len(told)
    # The legend's place is a share of the picture's height: as many pixels below it as in the other pictures.
    figure.update_layout(height=height, margin={"l": 12}, legend_y=-60 / (height - 90))
    return figure


def first_tokens(report: Report) -> go.Figure:
    """The share of requests whose first token had come after so long."""
    figure = _figure("milliseconds to the first token", "share of requests")
    for target, load, records in _cells(report):
        times = sorted(DEFINITIONS[report.definition](record).first_token * 1000 for record in records)
        shares = [(place + 1) / len(times) for place in range(len(times))]
        figure.add_scatter(
            x=times, y=shares, mode="lines", name=_name(report, target, load), line=_line(report, target, load, "hv")
        )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return figure


def gaps(report: Report) -> go.Figure:
    """The gaps between the texts of each target's median answer, as they came."""
    figure = _figure("seconds since the request was sent", "milliseconds since the text before")
    for target, load, records in _cells(report):
        if load != report.run.loads[0]:
            continue
        middle = median(record.ended for record in records)
        shown = min(records, key=lambda record: abs(record.ended - middle))
        times = [arrival.seconds for arrival in shown.arrivals]
        figure.add_scatter(
            x=times[1:],
            y=[(later - earlier) * 1000 for earlier, later in pairwise(times)],
            mode="lines+markers",
            name=target,
            marker={"size": 4},
            line={"color": _colour(report, target), "width": 1.5},
        )
    figure.update_yaxes(rangemode="tozero")
    return figure


def throughput(report: Report) -> go.Figure:
    """Requests a second against the time to the end, a point for each load."""
    figure = _figure("requests answered a second", "milliseconds to the end, median")
    for target in report.run.targets:
        points = [
            (found.requests_per_s, found.e2e_ms.p50, load)
            for (name, load), found in report.cells.items()
            if name == target and found.requests_per_s and found.e2e_ms.p50
        ]
        _points(figure, report, target, points, connect=True)
    figure.update_layout(xaxis_rangemode="tozero", yaxis_rangemode="tozero")
    return figure


def cost(report: Report) -> go.Figure:
    """USD for a thousand requests against the time to the end, a point for each load."""
    figure = _figure("USD per 1,000 requests", "milliseconds to the end, median")
    for target in report.run.targets:
        points = [
            (each.per_1000_requests, report.cells[name, load].e2e_ms.p50, load)
            for (name, load), each in report.costs.items()
            if name == target and each.per_1000_requests and report.cells[name, load].e2e_ms.p50
        ]
        _points(figure, report, target, points, connect=False)
    figure.update_layout(xaxis_rangemode="tozero", yaxis_rangemode="tozero")
    return figure


def _points(figure: go.Figure, report: Report, target: str, points: list[Any], *, connect: bool) -> None:
    if not points:
        return
    figure.add_scatter(
        x=[x for x, _, _ in points],
        y=[y for _, y, _ in points],
        text=[load.removeprefix("concurrency ") if len(report.run.loads) > 1 else "" for _, _, load in points],
        hovertext=[f"{target}, {load}" for _, _, load in points],
        mode="lines+markers+text" if connect else "markers+text",
        textposition="top center",
        name=target,
        marker={"size": 10},
        cliponaxis=False,
        line={"color": _colour(report, target)},
    )


def _figure(x: str, y: str = "", *, log_x: bool = False) -> go.Figure:
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


def _cells(report: Report) -> list[tuple[str, str, list[Record]]]:
    found = [
        (target, load, [record for record in report.run.measured(target, load) if record.ok])
        for target, load in report.cells
    ]
    return [cell for cell in found if cell[2]]


def _labels(told: list[verdict.Verdict]) -> list[str]:
    """What each line compares; the load and the pair only where there are several."""
    pairs = {frozenset((each.faster, each.slower)) for each in told}
    loads = {each.load for each in told}
    return [
        verdict.METRICS[each.metric][0].removeprefix("to the ")
        + verdict.QUANTILES[each.quantile]
        + (f" · {each.faster} / {each.slower}" if len(pairs) > 1 else "")
        + (f" · {each.load}" if len(loads) > 1 else "")
        for each in told
    ]


def _name(report: Report, target: str, load: str) -> str:
    return f"{target}, {load}" if len(report.run.loads) > 1 else target


def _line(report: Report, target: str, load: str, shape: str) -> dict[str, Any]:
    dash = DASHES[report.run.loads.index(load) % len(DASHES)]
    return {"color": _colour(report, target), "dash": dash, "shape": shape, "width": 2}


def _colour(report: Report, target: str) -> str:
    place = report.run.targets.index(target) if target in report.run.targets else -1
    return COLOURS[place % len(COLOURS)]
