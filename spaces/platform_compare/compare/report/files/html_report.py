"""The report as one HTML file with metrics, verdict and charts that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from pathlib import Path

import plotly.offline

from compare.analyse.metrics.definitions import TITLES
from compare.report.charts import charts
from compare.report.overview.cards import CSS as OVERVIEW_CSS
from compare.report.overview.cards import overview_html
from compare.report.report import Report
from compare.report.views import render
from compare.report.views.quality_view import quality_html
from compare.report.words import quality_text, strings
from compare.report.words.formats import moment
from compare.report.words.telemetry_text import telemetry_html
from ui.theme import TYPE_SCALE

CSS = TYPE_SCALE + Path(__file__).with_name("report.css").read_text(encoding="utf-8") + OVERVIEW_CSS
CHART_CONFIG = {"displaylogo": False, "responsive": True}


def html(report: Report) -> str:
    """Return a complete page; it needs no network and follows the reader's dark or light setting."""
    title = strings.versus(report.run.targets)
    header = report.run.header
    parts = {
        strings.SUMMARY: overview_html(report),
        strings.VERDICT: render.verdict_html(report),
        **({quality_text.ANSWERS: quality_html(report)} if report.quality or report.judges else {}),
        strings.metrics_title(TITLES[report.definition]): render.metrics_html(report),
        strings.COST: render.cost_html(report) + telemetry_html(report),
        strings.CHARTS: f'<div class="charts">{_charts(report)}</div>',
        strings.REPRODUCE: render.reproduce_html(report),
    }
    sections = "".join(f"<section><h2>{escape(name)}</h2>{body}</section>" for name, body in parts.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style>"
        f"<script>{plotly.offline.get_plotlyjs()}</script></head><body><main>"
        f"<header><h1>{escape(title)}</h1><p>{escape(header['workload']['description'])} · "
        f"{escape(moment(header['started']))}</p></header>{sections}</main>"
        # Charts drawn during layout take the whole page's width, so they are drawn again when the page has loaded.
        '<script>addEventListener("load", () => dispatchEvent(new Event("resize")))</script></body></html>\n'
    )


def _charts(report: Report) -> str:
    return "".join(
        f"<div><h3>{escape(strings.CHART_TITLES[name])}</h3>"
        f"{figure.to_html(full_html=False, include_plotlyjs=False, config=CHART_CONFIG, div_id=f'chart-{name}')}</div>"
        for name, figure in charts.draw_charts(report).items()
    )
