"""The dashboard's navigation and its pages. Streamlit runs this file again for every change on a page."""

from __future__ import annotations

import streamlit as st

import import_paths  # noqa: F401 - must come before the imports that it makes possible
from dashboard_pages import costs, layout, performance, playground, runs, strings
from ui.static.icon import ICON

PAGES = [
    st.Page(playground.page, title=strings.PLAYGROUND, url_path="playground", icon=":material/chat:", default=True),
    st.Page(performance.page, title=strings.PERFORMANCE, url_path="performance", icon=":material/monitoring:"),
    st.Page(runs.page, title=strings.RUNS, url_path="runs", icon=":material/compare_arrows:"),
]
if costs.is_here():
    PAGES.append(st.Page(costs.page, title=strings.COSTS, url_path="costs", icon=":material/payments:"))

st.set_page_config(page_title=strings.TITLE, page_icon=str(ICON), layout="wide")
layout.add_css()
page = st.navigation(PAGES, position="top")
layout.navigation(PAGES)
page.run()
