"""The dashboard: its three pages and what surrounds them. Streamlit runs this file anew for every change on a page."""

from __future__ import annotations

import streamlit as st

import comparison
import import_paths as beside  # noqa: F401 - before what it makes importable
import layout as look
import performance
import playground

PAGES = [
    st.Page(playground.page, title="Playground", url_path="playground", icon=":material/chat:", default=True),
    st.Page(performance.page, title="Performance", url_path="performance", icon=":material/monitoring:"),
    st.Page(comparison.page, title="Comparison", url_path="comparison", icon=":material/compare_arrows:"),
]

st.set_page_config(page_title="Spaceport dashboard", page_icon="🛰️", layout="wide")
look.dress()
st.navigation(PAGES, position="top").run()
