"""The dashboard as an ASGI server: Streamlit's pages behind the security headers that all Spaces share."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

import import_paths  # noqa: F401 - must come before the imports that it makes possible
from ui.guard import Guard
from ui.routes import STREAMLIT, RouteTable

ROUTES = RouteTable(STREAMLIT, base=f"/{st.get_option('server.baseUrlPath').strip('/')}")
app = st.App(Path(__file__).with_name("dashboard.py"), middleware=[Middleware(Guard, ROUTES)])
