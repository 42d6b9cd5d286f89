"""The performance page: live metrics from a Prometheus server, or a recorded run that is labelled as one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import streamlit as st

from backends import SpaceportError
from compare.report import render
from compare.report.charts import draw_charts
from compare.report.report import Report
from compare.report.strings import CHART_TITLES, versus
from compare.visitors import Visitor
from dashboard_pages import layout, resources, strings
from live_metrics.charts import draw_panel, format_current
from live_metrics.prometheus import Prometheus
from live_metrics.readings import TIME_SPANS, Reading

REFRESH_SECONDS = 5
RECORDED_CHARTS = [CHART_TITLES[name] for name in ("first_tokens", "gaps", "throughput")]


@dataclass(frozen=True, slots=True)
class Poll:
    """The result of one request to Prometheus: a reading or an error."""

    reading: Reading | None = None
    error: SpaceportError | None = None


def page() -> None:
    """Draw live metrics if SPACEPORT_PROMETHEUS_URL is set, or the recorded run."""
    layout.header(strings.PERFORMANCE, strings.PERFORMANCE_SUBTITLE)
    if os.environ.get("SPACEPORT_PROMETHEUS_URL", "").strip():
        span = st.segmented_control(strings.TIME, list(TIME_SPANS), default="15 min", required=True, key="span")
        _draw_live(str(span))
    else:
        _draw_recorded()


@st.cache_resource(ttl=REFRESH_SECONDS - 0.5, max_entries=8, show_spinner=False)
def poll(span: str) -> Poll:
    """Read Prometheus once for all visitors; a failure is cached too, or every visitor would wait for it."""
    prometheus = Prometheus(os.environ["SPACEPORT_PROMETHEUS_URL"], os.environ.get("SPACEPORT_PROMETHEUS_TOKEN"))
    try:
        return Poll(reading=resources.event_loop().run(prometheus.read(TIME_SPANS[span])))
    except SpaceportError as error:
        return Poll(error=error)


@st.fragment(run_every=REFRESH_SECONDS)
def _draw_live(span: str) -> None:
    """Draw the current numbers and the charts; if Prometheus fails, the last reading with its age."""
    result = poll(span)
    if result.error:
        layout.show_error(result.error)
    readings: dict[str, Reading] = st.session_state.setdefault("readings", {})
    if result.reading:
        readings[span] = result.reading
    reading = readings.get(span)
    if reading is None:
        return
    stale = strings.STALE if result.error else ""
    st.caption(stale + strings.READ_AT.format(source=reading.source, age=layout.age(reading.read_at)))
    with st.container(horizontal=True, key="figures"):
        for panel in reading.panels:
            label = f"{panel.panel.title}, {panel.panel.current.label}"
            st.metric(label, format_current(panel), width="content")
    since = reading.read_at - reading.span.seconds
    panels = [panel for panel in reading.panels if panel.lines]
    layout.show_charts({each.panel.title: draw_panel(each, since, reading.read_at) for each in panels}, "panel")
    if not reading.gpu:
        st.caption(strings.NO_GPU)


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """The recorded run for display: a description, its metrics as HTML, its charts by title."""

    description: str
    metrics_html: str
    figures: dict[str, Any]


@st.cache_data(show_spinner=strings.READING_RECORDED_RUN)
def recorded_run() -> RecordedRun | None:
    """Analyse the comparator's first recorded run, once per process; None if there is none."""
    service = resources.comparison_service()
    if not service.examples:
        return None
    run = service.load_run(Visitor(), next(iter(service.examples)))
    report, environment = Report(run), run.header["environment"]
    description = strings.RECORDED_DESCRIPTION.format(
        date=run.header["started"][:10],
        system=environment["system"],
        processors=environment["processors"],
        targets=versus(run.targets),
    )
    figures = {title: figure for title, figure in draw_charts(report).items() if title in RECORDED_CHARTS}
    return RecordedRun(description, render.metrics_html(report), figures)


def _draw_recorded() -> None:
    try:
        run = recorded_run()
    except SpaceportError as error:
        layout.show_error(error)
        return
    if run is None:
        st.info(strings.NOTHING_TO_SHOW)
        return
    st.info(strings.RECORDED.format(description=layout.markdown(run.description)))
    st.html(run.metrics_html)
    layout.show_charts(run.figures, "recorded")
    st.caption(strings.RECORDED_LIMITS)
