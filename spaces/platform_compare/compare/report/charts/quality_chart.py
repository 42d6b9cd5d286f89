"""The picture of quality against cost: which targets no other beats in both."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import plotly.graph_objects as go

from compare.analyse.quality.paired import Share
from compare.analyse.quality.quality import Measure
from compare.analyse.verdicts.rate_intervals import Interval
from compare.report.charts.chart_style import TEXT, blank_figure, error_bars
from compare.report.report import Report
from compare.report.words import strings
from compare.report.words.formats import milliseconds, usd

SMALLEST, LARGEST = 10, 40  # pixels across a bubble


@dataclass(frozen=True, slots=True)
class Point:
    """A target in the picture: what it costs (USD or milliseconds), how much is right, and its p95 end to end."""

    target: str
    cost: float
    right: Share
    p95: float | None
    cost_interval: Interval | None = None


def quality(report: Report) -> go.Figure:
    """Draw right answers against the cost of 1,000 questions, or the end-to-end time if a target has no price.

    The bars are the intervals of right answers and of the cost, and a bubble's area is the p95 of the end-to-end time.
    The line joins the targets that no other beats in both.
    """
    points, is_priced = chart_points(report)
    figure = blank_figure(strings.AXIS_QUESTION_COST if is_priced else strings.AXIS_END_TO_END, strings.AXIS_RIGHT)
    largest = max((point.p95 or 0.0 for point in points), default=0.0)
    front = pareto_front(points)
    if len(front) > 1:
        figure.add_scatter(
            x=[point.cost for point in front],
            y=[point.right.value for point in front],
            mode="lines",
            line={"color": TEXT, "dash": "dot", "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    for point in points:
        _add_point(figure, report, point, largest, is_priced=is_priced)
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.06])
    figure.update_layout(xaxis_rangemode="tozero")
    return figure


def chart_points(report: Report) -> tuple[list[Point], bool]:
    """Return a point for each target with judged answers, and whether all of them have a cost at the main load."""
    load, points, costs = report.main_load, [], []
    for target, shares in report.quality.items():
        metrics, right = report.cells.get((target, load)), shares.get(Measure.RIGHT)
        if metrics and right and metrics.e2e_ms.p50:
            points.append(Point(target, metrics.e2e_ms.p50, right, metrics.e2e_ms.p95))
            cost = report.costs.get((target, load))
            costs.append(cost.per_1000_requests if cost else None)
    priced = [
        Point(point.target, cost, point.right, point.p95, report.cost_intervals.get((point.target, load)))
        for point, cost in zip(points, costs, strict=True)
        if cost is not None
    ]
    is_priced = bool(points) and len(priced) == len(points)
    return (priced, True) if is_priced else (points, False)


def pareto_front(points: list[Point]) -> list[Point]:
    """Return the targets that no other beats in both cost and right answers, the cheapest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.right.value)):
        if not front or point.right.value > front[-1].right.value:
            front.append(point)
    return front


def _add_point(figure: go.Figure, report: Report, point: Point, largest: float, *, is_priced: bool) -> None:
    right = point.right
    size = SMALLEST + (LARGEST - SMALLEST) * sqrt((point.p95 or 0.0) / largest) if largest else SMALLEST
    cost = f"{usd(point.cost)} USD" if is_priced else f"{milliseconds(point.cost)} ms"
    slow = f", p95 {milliseconds(point.p95)} ms" if point.p95 else ""
    figure.add_scatter(
        x=[point.cost],
        y=[right.value],
        mode="markers",
        name=point.target,
        marker={"size": size, "color": report.colours[point.target], "opacity": 0.8},
        error_y=error_bars([(right.value, right)]),
        error_x=error_bars([(point.cost, point.cost_interval)]) if point.cost_interval else None,
        hovertext=[f"{point.target}: {right.value:.0%} ({right.low:.0%} to {right.high:.0%}) right, {cost}{slow}"],
        hoverinfo="text",
        cliponaxis=False,
    )
