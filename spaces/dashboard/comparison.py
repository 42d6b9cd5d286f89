"""Comparison: the comparator's runs, with their verdict, figures, cost and pictures, and the report to take away."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

import layout as look
import shared
from backends import SpaceportError
from compare import records
from compare.analyse.definitions import TITLES
from compare.analyse.objectives import OBJECTIVES
from compare.measure.workload import MAX_FILE_BYTES
from compare.report import charts, render
from compare.report.html_report import html
from compare.report.report import Report
from compare.report.tables import requests_csv
from compare.service import View

NONE = "no other run"
ALTERNATIVES = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]


def page() -> None:
    """Lay the page out for the run that is chosen."""
    look.head("Comparison", "Which backend is faster, and what it costs")
    try:
        studio, visitor = shared.studio(), shared.visitor()
        name, other = _choose(studio.runs(visitor))
        if name is None:
            st.info("There is no recorded run here. Measure with the comparator, and open its JSONL.")
            return
        # What is shown stands above the choices that it depends on.
        verdict, figures, definitions, cost, prices = (st.container() for _ in range(5))
        view = View(**_definitions(definitions), **_prices(prices))
        report = studio.report(visitor, name, other, view)
        with verdict, st.spinner("Weighing the run"):
            weighed = render.verdict_html(report)
        _say(verdict, "Verdict", weighed)
        _say(figures, "Figures", render.figures_html(report))
        _say(cost, "Cost", render.cost_html(report))
        _rest(report)
    except SpaceportError as error:
        look.problem(error)


def _choose(names: list[str]) -> tuple[str | None, str | None]:
    """The run and the one it is held against, of those there are or one that a visitor brings along."""
    left, right = st.columns(2)
    name = left.selectbox("Run", names, key="run")
    others = [NONE, *(each for each in names if each != name)]
    other = right.selectbox("Against", others, key="against", disabled=len(others) == 1)
    with st.expander("Open a stored run"):
        st.file_uploader(
            "The JSONL that the comparator wrote", type=["jsonl"], key="upload", on_change=_open,
            max_upload_size=MAX_FILE_BYTES // 1_000_000,
        )  # fmt: skip
    if refused := st.session_state.get("refused"):
        look.problem(refused)
    return name, None if other in (None, NONE) else other


def _open() -> None:
    """List the file that was just dropped and choose it, or keep why it cannot be read."""
    upload = st.session_state.upload
    st.session_state.refused = None
    if upload is None:
        return
    folder = shared.visitor().folder / "uploads"
    folder.mkdir(exist_ok=True)
    path = folder / (re.sub(r"[^\w ,.-]+", "_", upload.name)[-100:].lstrip(".") or "run.jsonl")
    path.write_bytes(upload.getvalue())
    try:
        st.session_state.run = shared.studio().open(shared.visitor(), path)
    except SpaceportError as error:
        st.session_state.refused = error
    finally:
        path.unlink()


def _definitions(place: Any) -> dict[str, Any]:
    with place.expander("Definitions"):
        definition = st.selectbox(
            "By the definitions of", list(TITLES), format_func=lambda key: TITLES[key], key="definition"
        )
        objective = st.selectbox("Objective of goodput", list(OBJECTIVES), key="objective")
    return {"definition": definition, "objective": objective}


def _prices(place: Any) -> dict[str, Any]:
    with place.expander("Prices"):
        prices = st.text_area(
            "A line for each target", key="prices", max_chars=2000, placeholder="gpu = ml.g5.xlarge\nlaptop = 0.05/h"
        )
        alternatives = st.multiselect(
            "Break-even against a price by the token", ALTERNATIVES, key="alternatives", accept_new_options=True
        )
        used = st.slider("Used, in % of the measured throughput", 1, 100, 100, key="utilisation")
        spot = st.checkbox("Spot prices where there are any", key="spot")
    by_token = [f"tokens:{model}" for model in alternatives]
    return {"prices": prices, "utilisation": used / 100, "spot": spot, "alternatives": by_token}


def _say(place: Any, title: str, body: str) -> None:
    place.subheader(title, anchor=False)
    place.html(body)


def _rest(report: Report) -> None:
    """Pictures, what is needed to repeat the run, and files to take away, each made when it is asked for."""
    look.pictures(charts.pictures(report), key="picture")
    with st.expander("To repeat it"):
        st.html(render.repeat_html(report))
    stem = re.sub(r"[^\w-]+", "_", f"{'-'.join(report.run.targets)}-{report.run.header['id']}")[:80]
    files = {
        "Report (HTML)": (".html", "text/html", lambda: html(report)),
        "Raw arrivals (JSONL)": (".jsonl", "application/jsonl", lambda: "\n".join([*records.lines(report.run), ""])),
        "Requests (CSV)": (".csv", "text/csv", lambda: requests_csv(report.run)),
        "Table (Markdown)": (".md", "text/markdown", report.markdown),
    }
    with st.container(horizontal=True):
        for label, (suffix, mime, text) in files.items():
            st.download_button(label, text, stem + suffix, mime, key=f"download{suffix}", on_click="ignore")
