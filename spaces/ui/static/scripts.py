"""Scripts that the pages of all Spaces share, from the files in this folder."""

from __future__ import annotations

import json
from pathlib import Path

_FOLDER = Path(__file__).parent


def event_stream_js() -> str:
    """Return the script that keeps the stream of a page's events open while one of them has no end."""
    return _read("event_stream.js")


def loader_timer_js() -> str:
    """Return the script that slows down the timer of Gradio's page loader. It has to run before Gradio's scripts."""
    return _read("loader_timer.js")


def key_js(index: int = 0) -> str:
    """Return the script of an event whose input number `index` is the visitor's key, or a ticket for it."""
    return _read("ticket.js").replace("INDEX", str(index))


def download_js(name: str, media_type: str) -> str:
    """Return the script of an event that offers the value of its input as a file and clears it."""
    return _read("download.js").replace("NAME", json.dumps(name)).replace("TYPE", json.dumps(media_type))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
