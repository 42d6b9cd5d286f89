"""The dashboard as a server: Streamlit's pages, behind what guards every page of the family."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

import import_paths as beside  # noqa: F401 - before what it makes importable
from ui.guard import Guard

app = st.App(Path(__file__).with_name("dashboard.py"), middleware=[Middleware(Guard)])
