"""`python serve.py` is `streamlit run app.py` with limits for connections, for which Streamlit has no setting."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli
from uvicorn.config import HTTP_PROTOCOLS

import import_paths  # noqa: F401 - must come before the imports that it makes possible
from ui.edge.connections import limited_connections
from ui.edge.limits import EdgeLimits

if __name__ == "__main__":
    HTTP_PROTOCOLS["auto"] = limited_connections(EdgeLimits.from_environment())  # type: ignore[assignment]
    cli.main(["run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]])
