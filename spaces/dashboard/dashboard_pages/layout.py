"""Shared parts of the pages: the CSS of all Spaces, a model's Markdown, errors with their remedy, rows of charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from backends import SpaceportError, Target
from backends.stopwatch import wall_clock
from compare.report.overview.cards import CSS as OVERVIEW_CSS
from dashboard_pages import strings
from ui.html import header_html, unavailable_html
from ui.markdown import safe_markdown, split_code
from ui.theme import CSS

# The values that the shared CSS takes from Gradio's themes, for light and dark.
NEUTRAL_COLOURS = {
    "--body-text-color": ("#1e293b", "#f1f5f9"),
    "--body-text-color-subdued": ("#475569", "#94a3b8"),
    "--border-color-primary": ("#e2e8f0", "#334155"),
    "--background-fill-primary": ("#ffffff", "#0a0f1e"),
    "--background-fill-secondary": ("#f8fafc", "#0f172a"),
}
CHART_CONFIG = {"displaylogo": False}
STREAMLIT_CSS = """
.stMainBlockContainer { padding: 4.25rem 1.5rem 3rem; max-width: 1400px; }
[data-testid="stChatInput"] textarea:focus-visible { outline: none !important; }  /* its frame shows the focus */
[data-testid="stCaptionContainer"] { color: var(--body-text-color-subdued); opacity: 1; }  /* 2.8:1 without */
/* The field for questions is as wide as the conversation, whose lines stay readable. */
[data-testid="stBottomBlockContainer"] { max-width: 1400px; padding: 1rem 1.5rem 2rem; }
[data-testid="stChatMessage"] { gap: 1rem; }
/* At the left: in its middle, texts of different sizes would begin at different places. */
[data-testid="stChatMessageContent"] { max-width: 80ch; margin-inline: 0 auto; }
button[data-selected="true"] p { color: var(--body-text-color); }  /* on its tint, the accent has 4.3:1 */
[data-testid="stSelectbox"] input { text-overflow: ellipsis; }
.st-key-figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 45%), 1fr)); }
.st-key-figures [data-testid="stMetricLabel"] p { white-space: normal; }
[data-testid="stHtml"]:has(.sp-chart) { margin-bottom: -2.6rem; }  /* a chart's first line is its toolbar's */
.sp-table table { color: var(--body-text-color); }
.stApp .stHtml dl { padding: 0; }  /* Streamlit indents lists of terms */
/* Streamlit's code in a sentence is green, and a quarter smaller than its words. */
[data-testid="stMarkdownContainer"] :is(p, li) code { font-size: .875em; color: inherit; }
/* On a phone, .sp-table stacks its cells; these rows are read against each other, so they scroll instead. */
.sp-ledger { overflow-x: auto; }
.sp-ledger table { border-collapse: collapse; width: 100%; font-size: var(--sp-text-sm); margin: 0; }
.sp-ledger th, .sp-ledger td { padding: .35rem .5rem; border: 0; border-bottom: 1px solid var(--border-color-primary);
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--body-text-color); }
.sp-ledger thead th { font-weight: 500; color: var(--body-text-color-subdued); }
.sp-ledger th:first-child { position: sticky; left: 0; text-align: left; max-width: 16rem; overflow: hidden;
  text-overflow: ellipsis; font-weight: 400;
  background: light-dark(var(--background-fill-secondary), var(--background-fill-primary)); }
/* Streamlit fades what it's about to draw again: every few seconds, that would be most of the page. */
.st-key-live [data-stale="true"] { opacity: 1 !important; }
.st-key-navigation { display: none; }
@media (max-width: 767px) {  /* from 768 on, Streamlit shows its own */
  .stMainBlockContainer { padding: 3.5rem .75rem 2rem; }
  [data-testid="stBottomBlockContainer"] { padding: .5rem .75rem 1.5rem; }
  .st-key-navigation { display: flex; flex-flow: row nowrap; gap: .25rem; overflow-x: auto; }
  .st-key-navigation > div { flex: none; }
  .st-key-navigation [data-testid="stPageLink-NavLink"] { min-height: 44px; padding: 0 .6rem; }
  .st-key-navigation a > span:has([data-testid="stIconMaterial"]) { display: none; }  /* four names just fit */
  .sp-ledger th:first-child { max-width: 7rem; }
}
"""
_VARIABLES = re.compile(r"(--sp-\w+): (#\w+);")
_PRICE = re.compile(r"(?<!\\)\$(?=\d)")


def add_css() -> None:
    """Add the shared CSS to the page."""
    st.html(f"<style>{css()}</style>")


def css() -> str:
    """Return the shared CSS; its colours follow Streamlit's theme, which sets `color-scheme` to light or dark."""
    light, dark = (dict(_VARIABLES.findall(line)) for line in CSS.strip().splitlines()[:2])
    pairs = NEUTRAL_COLOURS | {name: (value, dark[name]) for name, value in light.items()}
    colours = " ".join(f"{name}: light-dark({one}, {other});" for name, (one, other) in pairs.items())
    return f".stApp {{ {colours} }}\n{CSS}{OVERVIEW_CSS}{STREAMLIT_CSS}"


def navigation(pages: Sequence[Any]) -> None:
    """Draw links to the pages for a phone, where Streamlit hides its own in a menu."""
    with st.container(key="navigation"):
        for page in pages:
            st.page_link(page)


def header(title: str, subtitle: str) -> None:
    """Draw the top of a page."""
    st.html(header_html(title, subtitle))


def markdown(text: str) -> str:
    """Return a model's text for Streamlit: it loads nothing from other servers, and `$5` starts no formula."""
    parts = split_code(safe_markdown(text))
    return "".join(part if is_code else _PRICE.sub(r"\\$", part) for part, is_code in parts)


def show_error(error: SpaceportError, draw: Callable[[str], object] = st.error) -> None:
    """Draw an error's message and remedy."""
    message = " ".join(error.message.split())
    remedy = " ".join(error.remedy.split())
    draw(f"**{markdown(message)}**" + (f"\n\n{markdown(remedy)}" if remedy else ""))


def show_charts(figures: Mapping[str, Any], key: str) -> None:
    """Draw Plotly figures by their title, two per row where there is room."""
    titles = list(figures)
    for start in range(0, len(titles), 2):  # row by row, so that a phone keeps the order
        for column, title in zip(st.columns(2), titles[start : start + 2], strict=False):
            figure = figures[title]
            # At the bottom of the chart: on a phone, a long legend would overlap the axis.
            figure.update_layout(legend={"yref": "container", "y": 0, "yanchor": "bottom"})
            column.html(f'<p class="sp-chart">{escape(title)}</p>')
            column.plotly_chart(figure, theme=None, key=f"{key}-{title}", config=CHART_CONFIG, alt=title)


def show_unavailable(targets: Iterable[Target]) -> None:
    """Draw the unavailable targets, each with the reason; nothing if all are available."""
    if html := unavailable_html(targets):
        with st.expander(strings.OTHER_MODELS):
            st.html(html)


def age(since: float) -> str:
    """Return how long ago a moment (seconds since 1970) was, as text."""
    return strings.age(wall_clock() - since)
