"""The report as one HTML file: figures, verdict and pictures, with nothing to load from elsewhere."""

from __future__ import annotations

from html import escape

import plotly.offline

from compare.analyse.definitions import TITLES
from compare.report import charts, render
from compare.report.report import Report

STYLE = """
:root { color-scheme: light dark; --ink: #1e293b; --dim: #64748b; --line: #e2e8f0; --ground: #f8fafc; --card: #fff;
  --good: #15803d; --bad: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ink: #e2e8f0; --dim: #94a3b8; --line: #334155; --ground: #020617;
  --card: #0f172a; --good: #4ade80; --bad: #fbbf24; } }
body { font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 0; }
main { max-width: 1100px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: .5rem 0; } h2 { font-size: 1.05rem; margin: 0 0 .5rem; } h4 { margin: .8rem 0 .2rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 1rem; }
.pictures > div { min-width: 0; }
.sp-note, .sp-empty, .sp-dim, header p { color: var(--dim); font-size: .875rem; }
.sp-good { color: var(--good); } .sp-caveats { color: var(--bad); font-size: .9rem; }
.sp-table { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 500; white-space: nowrap; } .sp-num { text-align: right; white-space: nowrap; }
summary { cursor: pointer; color: var(--dim); margin: .5rem 0; }
.js-plotly-plot text { fill: var(--dim) !important; }
"""
CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtons": [["toImage", "resetScale2d"]]}


def html(report: Report) -> str:
    """A whole page; it needs no network and follows the reader's dark or light setting."""
    title = " against ".join(report.run.targets)
    header = report.run.header
    parts = {
        "Verdict": render.verdict_html(report),
        f"Metrics, by {TITLES[report.definition]}'s definitions": render.metrics_html(report),
        "Cost": render.cost_html(report),
        "Pictures": f'<div class="pictures">{_pictures(report)}</div>',
        "To repeat it": render.reproduce_html(report),
    }
    sections = "".join(f"<section><h2>{escape(name)}</h2>{body}</section>" for name, body in parts.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"<script>{plotly.offline.get_plotlyjs()}</script></head><body><main>"
        f"<header><h1>{escape(title)}</h1><p>{escape(header['workload']['description'])} · "
        f"{escape(header['started'])}</p></header>{sections}</main>"
        # Drawn while the page is still being laid out, pictures take its whole width: once more when it stands.
        '<script>addEventListener("load", () => dispatchEvent(new Event("resize")))</script></body></html>\n'
    )


def _pictures(report: Report) -> str:
    return "".join(
        f"<div>{figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG)}</div>"
        for figure in charts.draw_charts(report).values()
    )
