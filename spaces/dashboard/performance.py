"""Performance: live from a Prometheus, or else from the recorded run, which the page says in as many words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from plotly.graph_objects import Figure

import layout as look
import shared
from backends import SpaceportError
from backends.stopwatch import wall_clock
from compare.report import charts, render
from compare.report.report import Report
from compare.visitors import Visitor
from metrics.charts import figure_of, picture
from metrics.prometheus import Prometheus
from metrics.readings import SPANS, Reading

EVERY = 5  # seconds between two readings
RECORDED = ("First tokens", "Gaps inside one answer", "Throughput against latency")


@dataclass(frozen=True, slots=True)
class Told:
    """What Prometheus said when it was asked at `seen`, or why it said nothing."""

    reading: Reading | None
    error: SpaceportError | None
    seen: float


def page() -> None:
    """Lay the page out for what there is to show."""
    look.head("Performance", "How the servers fare")
    url = os.environ.get("SPACEPORT_PROMETHEUS_URL", "").strip()
    if url:
        chosen = st.segmented_control("Time", list(SPANS), default="15 min", required=True, key="span")
        _live(str(chosen))
    else:
        _recorded()


@st.cache_resource(ttl=EVERY - 0.5, max_entries=8, show_spinner=False)
def told(span: str) -> Told:
    """One reading for all visitors; a failure is kept as long, or each visitor would wait for it again."""
    prometheus = Prometheus(os.environ["SPACEPORT_PROMETHEUS_URL"], os.environ.get("SPACEPORT_PROMETHEUS_TOKEN"))
    try:
        return Told(shared.loop().result(prometheus.read(SPANS[span])), None, wall_clock())
    except SpaceportError as error:
        return Told(None, error, wall_clock())


@st.fragment(run_every=EVERY)
def _live(span: str) -> None:
    """The figures of now and their lines; when Prometheus is away, the last ones with their age."""
    now = told(span)
    if now.error:
        look.problem(now.error)
    last: dict[str, Reading] = st.session_state.setdefault("readings", {})
    if now.reading:
        last[span] = now.reading
    reading = last.get(span)
    if reading is None:
        return
    stale = "These are the last figures that came: " if now.error else ""
    st.caption(
        f"{stale}{reading.source}, read {look.age(reading.seen)}. Figures are of the last five minutes, hours are UTC."
    )
    _figures(reading)
    since = reading.seen - reading.span.seconds
    shown = [drawn for drawn in reading.panels if drawn.lines]
    look.pictures({drawn.panel.title: picture(drawn, since, reading.seen) for drawn in shown}, "panel")
    if not reading.gpu:
        st.caption("No GPU figures here: Prometheus does not scrape NVIDIA's DCGM exporter.")


def _figures(reading: Reading) -> None:
    with st.container(horizontal=True, key="figures"):
        for drawn in reading.panels:
            st.metric(f"{drawn.panel.title}, {drawn.panel.now.label}", figure_of(drawn), width="content")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded run as it is shown: what it is, its table as HTML, its pictures by title."""

    told: str
    figures: str
    pictures: dict[str, Figure]


@st.cache_data(show_spinner="Reading the recorded run")
def recorded() -> Recorded | None:
    """The comparator's first recorded run, weighed once; None if there is none."""
    studio = shared.studio()
    if not studio.examples:
        return None
    run = studio.run(Visitor(Path()), next(iter(studio.examples)))
    report, environment = Report(run), run.header["environment"]
    machine = f"{environment['system']}, {environment['processors']} processors"
    told = f"a measurement of {run.header['started'][:10]} on {machine} ({' against '.join(run.targets)})"
    pictures = {title: figure for title, figure in charts.pictures(report).items() if title in RECORDED}
    return Recorded(told, render.figures_html(report), pictures)


def _recorded() -> None:
    try:
        shown = recorded()
    except SpaceportError as error:
        look.problem(error)
        return
    if shown is None:
        st.info("There is no Prometheus and no recorded run. Set SPACEPORT_PROMETHEUS_URL to see live figures.")
        return
    st.info(
        f"**Recorded, not live:** {look.markdown(shown.told)}. Set SPACEPORT_PROMETHEUS_URL to see a server's figures "
        "as they come."
    )
    st.html(shown.figures)
    look.pictures(shown.pictures, "recorded")
    st.caption("A recorded run has no queue and no GPU: those are figures of a server that is watched.")
