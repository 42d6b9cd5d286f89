"""Command line and launch settings shared by the Gradio pages of all Spaces."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
from collections.abc import Sequence
from typing import Any

from starlette.middleware import Middleware

from ui.guard import Guard
from ui.theme import CSS, HEAD, theme

if os.environ.get("SPACES_ZERO_GPU"):
    # ZeroGPU refuses to start an app that doesn't define a GPU function at import time; this module defines one.
    importlib.import_module("backends.transformers.backend")


def parse_arguments(argv: Sequence[str], description: str) -> argparse.Namespace:
    """Parse the options of `python app.py`: the target, the catalogue, and the address to listen on."""
    parser = argparse.ArgumentParser(prog="app.py", description=description)
    parser.add_argument("--backend", metavar="NAME", help="the target that is selected at first")
    parser.add_argument("--catalog", metavar="PATH", help="another catalogue of targets")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (7860, or the next free one)")
    parser.add_argument("--share", action="store_true", help="create a public link through gradio.live")
    return parser.parse_args(argv)


def launch_arguments(
    options: argparse.Namespace, *, max_file_mb: int, css: str = "", private: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the keyword arguments of `launch()`: the options, the theme plus the page's `css`, and privacy settings.

    Files in the `private` folders are never served.
    """
    return {
        "server_name": options.host,
        "server_port": options.port,
        "share": options.share or None,
        "auth": credentials(),
        "theme": theme(),
        "css": CSS + css,
        "head": HEAD,
        "blocked_paths": list(private),
        "enable_monitoring": False,
        "app_kwargs": {"middleware": [Middleware(Guard)]},
        "max_file_size": f"{max_file_mb}mb",
        "run_history": False,
        "footer_links": ["gradio"],
        "ssr_mode": False,
    }


def credentials() -> list[tuple[str, str]] | None:
    """Return the `name:password` pairs in SPACEPORT_AUTH, separated by white space; None means no login."""
    pairs = [entry.partition(":") for entry in os.environ.get("SPACEPORT_AUTH", "").split()]
    if any(not (name and password) for name, _, password in pairs):
        raise SystemExit("error: SPACEPORT_AUTH has an entry without a name or a password.\n  Write name:password.")
    return [(name, password) for name, _, password in pairs] or None


def mcp_enabled() -> bool:
    """Return whether SPACEPORT_MCP asks for the page's API as MCP tools; exit if the package mcp is missing."""
    if not os.environ.get("SPACEPORT_MCP"):
        return False
    if importlib.util.find_spec("mcp") is None:
        raise SystemExit("error: SPACEPORT_MCP needs the package mcp.\n  Install it: pip install mcp.")
    return True
