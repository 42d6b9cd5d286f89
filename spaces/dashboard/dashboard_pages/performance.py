"""The performance page: live metrics from a Prometheus server, or how to connect one."""

from __future__ import annotations

import os
from dataclasses import dataclass

import streamlit as st

from backends import SpaceportError
from compare.report.words.glossary import explanation, labels_html
from dashboard_pages import layout, resources, strings
from live_metrics.charts import draw_panel, format_current, panel_title
from live_metrics.metric_values import TIME_SPANS, Reading
from live_metrics.prometheus import Prometheus
from live_metrics.queries import GPU, SERVERS

REFRESH_SECONDS = 5
DEFAULT_SPAN = "15 min"


@dataclass(frozen=True, slots=True)
class Poll:
    """The result of one request to Prometheus: a reading or an error."""

    reading: Reading | None = None
    error: SpaceportError | None = None


def page() -> None:
    """Draw live metrics if SPACEPORT_PROMETHEUS_URL is set, or how to get them."""
    layout.header(strings.PERFORMANCE, strings.PERFORMANCE_SUBTITLE)
    if os.environ.get("SPACEPORT_PROMETHEUS_URL", "").strip():
        span = st.segmented_control(strings.TIME, list(TIME_SPANS), default=DEFAULT_SPAN, required=True, key="span")
        _draw_live(span or DEFAULT_SPAN)  # a client without a browser can select none
    else:
        _explain_panels()


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
    readings: dict[str, Reading] = st.session_state.setdefault("readings", {})
    if result.reading:
        readings[span] = result.reading
    with st.container(key="live"):
        if result.error:
            layout.show_error(result.error)
        if reading := readings.get(span):
            _draw_reading(reading, strings.STALE if result.error else "")


def _draw_reading(reading: Reading, stale: str) -> None:
    st.caption(stale + strings.READ_AT.format(source=reading.source, age=layout.age(reading.read_at)))
    with st.container(horizontal=True, key="figures"):
        for panel in (each for each in reading.panels if each.lines or each.current is not None):
            label = f"{panel.panel.title}, {panel.panel.current.label}"
            st.metric(label, format_current(panel), width="content", help=explanation(label) or None)
    since = reading.read_at - reading.span.seconds
    panels = [panel for panel in reading.panels if panel.lines]
    layout.show_charts({panel_title(each): draw_panel(each, since, reading.read_at) for each in panels}, "panel")
    if not reading.gpu:
        st.caption(strings.NO_GPU)


def _explain_panels() -> None:
    """Say how to connect a Prometheus, and what the page shows then."""
    st.info(strings.NO_PROMETHEUS)
    titles = dict.fromkeys(panel.title for source in (*SERVERS, GPU) for panel in source.panels)
    st.html(labels_html(titles))
