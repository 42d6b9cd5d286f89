"""Charts of a run as Plotly figures, readable in dark and light themes and at 390 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from statistics import median
from typing import Any

import plotly.graph_objects as go

from compare.analyse.metrics.definitions import DEFINITIONS
from compare.analyse.verdicts.rate_intervals import Interval
from compare.analyse.verdicts.verdict import Finding, Verdict, earlier_label, this_label
from compare.report.charts.chart_style import COLOURS, DASHES, TEXT, blank_figure, error_bars
from compare.report.charts.quality_chart import quality
from compare.report.report import Report
from compare.report.words import strings
from compare.report.words.verdict_text import METRIC_LABELS, QUANTILE_PHRASES, verdict_text, winner_label
from compare.runs.records import Record

# Where intervals span about a decade, Plotly writes only the first digit of a ratio, and 0.5 would look like 5.
WIDE_SPAN = 8
# Where they span more, three ticks a decade would overlap.
VERY_WIDE_SPAN = 1000
DECADES = [10.0**exponent for exponent in range(-12, 13)]
RATIOS = [digit * 10.0**exponent for exponent in range(-3, 4) for digit in (1, 2, 5)]
MAX_LABEL = 42  # characters of a label's line: a phone has room for no more


def draw_charts(report: Report) -> dict[str, go.Figure]:
    """Return every chart that the run has data for, by its name in `strings.CHART_TITLES`."""
    draw: dict[str, Callable[[Report], go.Figure]] = {
        "differences": differences,
        "first_tokens": first_tokens,
        "gaps": gaps,
        "throughput": throughput,
        "cost": cost,
        "quality": quality,
    }
    figures = {name: function(report) for name, function in draw.items()}
    return {name: figure for name, figure in figures.items() if figure.data}


def differences(report: Report) -> go.Figure:
    """Draw each comparison as a ratio with its interval; an interval that contains 1 shows no clear difference."""
    figure = blank_figure(strings.AXIS_RATIO, log_x=True)
    comparisons = [verdict for verdict in (*report.verdicts, *report.changes) if verdict.ratio is not None]
    winners = [verdict.faster if verdict.decision is Finding.FASTER else "" for verdict in comparisons]
    for winner in sorted(set(winners), reverse=True):
        rows = [(row, verdict) for row, verdict in enumerate(comparisons) if winners[row] == winner]
        figure.add_scatter(
            x=[verdict.ratio for _, verdict in rows],
            y=[row for row, _ in rows],
            mode="markers",
            name=winner_label(winner),
            marker={"size": 9, "color": _colour(report, winner) if winner else TEXT},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(verdict.high or 0) - (verdict.ratio or 0) for _, verdict in rows],
                "arrayminus": [(verdict.ratio or 0) - (verdict.low or 0) for _, verdict in rows],
                "thickness": 2,
            },
            hovertext=[verdict_text(verdict) for _, verdict in rows],
            hoverinfo="text",
        )
    for row, label in enumerate(_labels(comparisons)):  # above its line: to the side, a phone would have no room
        figure.add_annotation(  # on this logarithmic axis, 0 is where the ratio is 1
            x=0, y=row, text=label, xanchor="left", xshift=5, yshift=8, yanchor="bottom", align="left", showarrow=False,
            font={"size": 11},
        )  # fmt: skip
    ends = [end for verdict in comparisons for end in (verdict.low, verdict.high) if end]
    if ends and max(1, *ends) > WIDE_SPAN * min(1, *ends):
        ticks = RATIOS if max(1, *ends) < VERY_WIDE_SPAN * min(1, *ends) else DECADES
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{ratio:,g}" for ratio in ticks])
    figure.add_vline(1, line={"color": TEXT, "dash": "dot"})
    figure.update_yaxes(range=[len(comparisons) - 0.5, -0.9], showticklabels=False, showgrid=False)
    height = 150 + (56 if any("<br>" in label for label in _labels(comparisons)) else 42) * len(comparisons)
    # One entry too: it says whose colour this is.
    figure.update_layout(height=height, margin={"l": 12}, showlegend=True)
    return figure


def first_tokens(report: Report) -> go.Figure:
    """Draw the share of requests whose first token arrived within a time."""
    figure = blank_figure(strings.AXIS_TTFT, strings.AXIS_SHARE)
    for target, load, records in _answered(report):
        times = sorted(DEFINITIONS[report.definition](record).first_token * 1000 for record in records)
        shares = [(place + 1) / len(times) for place in range(len(times))]
        figure.add_scatter(
            x=times, y=shares, mode="lines", name=_name(report, target, load), line=_line(report, target, load, "hv")
        )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return figure


def gaps(report: Report) -> go.Figure:
    """Draw the gaps between the texts of each target's median answer."""
    figure = blank_figure(strings.AXIS_SENT, strings.AXIS_GAP)
    for target, load, records in _answered(report):
        if load != report.run.loads[0]:
            continue
        middle = median(record.ended for record in records)
        typical = min(records, key=lambda record: abs(record.ended - middle))
        times = [arrival.seconds for arrival in typical.arrivals]
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
    """Draw requests per second against the end-to-end time, one point per load."""
    figure = blank_figure(strings.AXIS_RATE, strings.AXIS_END_TO_END)
    for target in report.run.targets:
        points = [
            (metrics.requests_per_s, metrics.e2e_ms.p50, load)
            for (name, load), metrics in report.cells.items()
            if name == target and metrics.requests_per_s and metrics.e2e_ms.p50
        ]
        _add_points(figure, report, target, points, report.rate_intervals, connect=True)
    figure.update_layout(xaxis_rangemode="tozero", yaxis_rangemode="tozero")
    return figure


def cost(report: Report) -> go.Figure:
    """Draw USD per thousand requests against the end-to-end time, one point per load."""
    figure = blank_figure(strings.AXIS_COST, strings.AXIS_END_TO_END)
    for target in report.run.targets:
        points = [
            (each.per_1000_requests, report.cells[name, load].e2e_ms.p50, load)
            for (name, load), each in report.costs.items()
            if name == target and each.per_1000_requests and report.cells[name, load].e2e_ms.p50
        ]
        _add_points(figure, report, target, points, report.cost_intervals, connect=False)
    figure.update_layout(xaxis_rangemode="tozero", yaxis_rangemode="tozero")
    return figure


def _add_points(
    figure: go.Figure,
    report: Report,
    target: str,
    points: list[Any],
    intervals: Mapping[tuple[str, str], Interval],
    *,
    connect: bool,
) -> None:
    if not points:
        return
    bars = [(x, intervals.get((target, load), Interval(x, x))) for x, _, load in points]
    figure.add_scatter(
        x=[x for x, _, _ in points],
        y=[y for _, y, _ in points],
        text=[_load_label(report, target, load) for _, _, load in points],
        hovertext=[f"{target}, {load}" for _, _, load in points],
        mode="lines+markers+text" if connect else "markers+text",
        textposition="top center",
        name=target,
        marker={"size": 10},
        cliponaxis=False,
        line={"color": _colour(report, target)},
        error_x=error_bars(bars),
    )


def _load_label(report: Report, target: str, load: str) -> str:
    """Return a point's label: the concurrency, or an open loop's name; "" if the run has one load."""
    if len(report.run.loads) < 2:
        return ""
    concurrency = report.run.measured(target, load)[0].concurrency
    return load if concurrency is None else str(concurrency)


def _answered(report: Report) -> Iterator[tuple[str, str, list[Record]]]:
    for target, load in report.cells:
        if records := [record for record in report.run.measured(target, load) if record.ok]:
            yield target, load, records


def _labels(verdicts: list[Verdict]) -> list[str]:
    """Return what each line compares; the load and the pair only if there are several."""
    pairs = {frozenset((verdict.faster, verdict.slower)) for verdict in verdicts}
    loads = {verdict.load for verdict in verdicts}
    labels = []
    for verdict in verdicts:
        pair = [f"{verdict.faster} / {verdict.slower}"] if len(pairs) > 1 else []
        load = [verdict.load] if len(loads) > 1 else []
        metric = METRIC_LABELS[verdict.metric] + QUANTILE_PHRASES[verdict.quantile]
        line, details = " · ".join([metric, *pair, *load]), " · ".join([*pair, *load])
        labels.append(f"{metric}<br>{details}" if len(line) > MAX_LABEL else line)
    return labels


def _name(report: Report, target: str, load: str) -> str:
    return f"{target}, {load}" if len(report.run.loads) > 1 else target


def _line(report: Report, target: str, load: str, shape: str) -> dict[str, Any]:
    dash = DASHES[report.run.loads.index(load) % len(DASHES)]
    return {"color": _colour(report, target), "dash": dash, "shape": shape, "width": 2}


def _colour(report: Report, name: str) -> str:
    """Return the colour of a target, also under its name in a comparison with an earlier run."""
    names = {label(target): target for target in report.run.targets for label in (str, this_label, earlier_label)}
    return report.colours[names[name]] if name in names else COLOURS[-1]
