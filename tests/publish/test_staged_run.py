"""A trial that fails shows the end of the app's log, which is deleted afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from publishing.errors import SpaceFailed, StageError
from publishing.staged_run import try_app
from publishing.staging.stage import StagedSpace

# Its page answers, and nothing else does.
APP = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/":
            print("No model of that name")
        self.send_response(200 if self.path == "/" else 500)
        self.end_headers()
        self.wfile.write(b"page")

HTTPServer(("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"])), Page).serve_forever()
"""


@pytest.mark.parametrize(
    ("app", "error", "words"),
    [
        (APP, SpaceFailed, "dashboard runs, but does not answer (HTTPStatusError"),
        ("raise SystemExit('No model of that name')", StageError, "dashboard does not start outside the repository"),
    ],
)
def test_the_end_of_the_log_is_shown(tmp_path: Path, app: str, error: type[Exception], words: str) -> None:
    folder = tmp_path / "dashboard"
    folder.mkdir()
    (folder / "app.py").write_text(app)
    with pytest.raises(error) as raised:
        try_app(StagedSpace("dashboard", folder, {}, {"sdk": "gradio"}), Path(sys.executable))
    assert words in str(raised.value)
    assert "\n  No model of that name" in str(raised.value)
    assert "Nothing was sent." in str(raised.value)
