"""The dashboard as an ASGI server: Streamlit's pages behind the headers and limits that all Spaces share.

`serve.py` starts it.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

import import_paths  # noqa: F401 - must come before the imports that it makes possible

# The first visitor would wait for these.
from dashboard_pages import costs, performance, playground, runs, strings  # noqa: F401
from dashboard_pages.upload_room import UploadRoom
from dashboard_pages.websocket_check import BackMessages
from ui.access.guard import Guard
from ui.access.routes import STREAMLIT, RouteTable
from ui.link_preview import LinkPreview
from ui.middleware.bodies import BodyLimits, UploadRoutes
from ui.middleware.request_limits import RequestLimits

BASE = f"/{st.get_option('server.baseUrlPath').strip('/')}"
UPLOADS = UploadRoutes(RouteTable({"/_stcore/upload_file/{session}/{file}": "PUT"}, BASE), field=None)
# Streamlit counts in units of 1,024 * 1,024 bytes.
LIMITS = RequestLimits.from_environment(
    max_file_mb=round(st.get_option("server.maxUploadSize") * 1.048576), max_files=1
)
app = st.App(
    Path(__file__).with_name("dashboard.py"),
    middleware=[
        Middleware(Guard, RouteTable(STREAMLIT, base=BASE)),
        Middleware(BackMessages),
        Middleware(UploadRoom, LIMITS, UPLOADS.routes),
        Middleware(BodyLimits, LIMITS, upload_routes=UPLOADS),
        Middleware(
            LinkPreview, strings.TITLE, strings.SUBTITLE, Path(__file__).with_name("preview.png"), streamlit=True
        ),
    ],
)
