"""`python serve.py` is `streamlit run app.py` with limits for connections, for which Streamlit has no setting."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli

import import_paths  # noqa: F401 - must come before the imports that it makes possible
from ui.middleware.connections import limit_connections
from ui.middleware.request_limits import RequestLimits

if __name__ == "__main__":
    limit_connections(RequestLimits.from_environment())
    cli.main(["run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]])
