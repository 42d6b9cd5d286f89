"""Command line and launch settings shared by the Gradio pages of all Spaces."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Depends
from starlette.middleware import Middleware

from backends import NotConfigured, telemetry
from backends.serving.listening import check_port
from ui.access.guard import Guard
from ui.access.login import Login, credentials
from ui.access.origins import SameOrigin, allowed_origins, outermost
from ui.admission.client import ClientAddress, trust_hub_proxies
from ui.middleware.bodies import BodyLimits
from ui.middleware.connections import limit_connections
from ui.middleware.event_check import UNKNOWN_EVENT, EventCheck
from ui.middleware.page_files import PageFiles
from ui.middleware.request_limits import MB, RequestLimits
from ui.middleware.uploads import Uploads
from ui.process.local_addresses import exempt_this_machine
from ui.process.memory import return_free_memory_regularly
from ui.session_state import keep_no_configurations
from ui.sign_in import settings as sign_in
from ui.sign_in.middleware import SignInMiddleware
from ui.static.icon import ICON
from ui.static.scripts import event_stream_js
from ui.theme import CSS, HEAD, theme

if os.environ.get("SPACES_ZERO_GPU"):
    # ZeroGPU refuses to start an app that doesn't define a GPU function at import time; this module defines one.
    importlib.import_module("backends.kinds.transformers.backend")

# Gradio counts events for a page that stays closed: with pandas, in 7 ms after each event, which all others wait for.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**12))

# Gradio imports matplotlib before and after each update, for its settings. Where it isn't installed, Python searches
# all folders each time, in 0.08 ms; with None it knows. https://docs.python.org/3/reference/import.html#the-module-cache
if importlib.util.find_spec("matplotlib") is None:
    sys.modules["matplotlib"] = None  # type: ignore[assignment]

# A thread waits this long for the interpreter lock if another one computes. With Python's 5 ms, a request with ten
# system calls takes 50 ms while a document is split into chunks.
SWITCH_SECONDS = 0.0001
# Gradio starts at most this many events. Those that wait for their turn count, so it's more than `Limits` let wait.
MAX_EVENTS = 1024
QUEUE: dict[str, Any] = {
    "max_size": MAX_EVENTS,
    "default_concurrency_limit": 32,  # events without a limit of their own that run at once; they are short
    # Seconds. By default, each event that starts tells all others how many are ahead: n ** 2 messages for n events.
    "status_update_rate": 60,
}
# Gradio keeps the state of so many pages; a page that is dropped gets a new one, without the choices that it was sent.
MAX_SESSIONS = 4000


def parse_arguments(argv: Sequence[str], description: str) -> argparse.Namespace:
    """Parse the options of `python app.py`: the target, the catalogue, and the address to listen on."""
    parser = argparse.ArgumentParser(prog="app.py", description=description)
    parser.add_argument("--backend", metavar="NAME", help="the target that is selected at first")
    parser.add_argument("--catalog", metavar="PATH", help="another catalogue of targets")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (7860, or the next free one)")
    parser.add_argument("--share", action="store_true", help="create a public link through gradio.live")
    options = parser.parse_args(argv)
    try:
        exempt_this_machine(options.host)
        if options.port and not os.environ.get("GRADIO_WATCH_DIRS"):  # a reload finds the port taken by itself
            check_port(options.host or "127.0.0.1", options.port, setting="--port")
        telemetry.configure("spaceport-page")
    except NotConfigured as error:
        raise SystemExit(error.for_terminal) from error
    return options


def launch_arguments(
    options: argparse.Namespace,
    limits: RequestLimits,
    *,
    css: str = "",
    head: str = "",
    preview: Middleware | None = None,
    private: Sequence[str] = (),
    max_sessions: int = MAX_SESSIONS,
) -> dict[str, Any]:
    """Return the keyword arguments of `launch()`: the options, the theme, the page's own `css` and `head`, and privacy.

    `preview` is a `LinkPreview`. Files in the `private` folders are never served.
    """
    accounts = credentials()
    limit_connections(limits)
    trust_hub_proxies()
    return_free_memory_regularly()
    keep_no_configurations()
    sys.setswitchinterval(SWITCH_SECONDS)
    return {
        "server_name": options.host,
        "server_port": options.port,
        "share": options.share or None,
        "auth": Login(accounts) if accounts else None,
        "theme": theme(),
        "css": CSS + css,
        "head": f"<script>{event_stream_js()}</script>{HEAD}{head}",
        "blocked_paths": [*private, str(_upload_folder() / "deep_links")],
        "enable_monitoring": False,
        "app_kwargs": app_arguments(limits, login=bool(accounts), preview=preview),
        "max_file_size": f"{limits.file_bytes // MB}mb",  # the page shows it in units of 1,024 * 1,024
        "run_history": False,
        "favicon_path": str(ICON),
        "footer_links": ["gradio"],
        "ssr_mode": False,
        "max_threads": MAX_EVENTS,
        "state_session_capacity": max_sessions,
    }


def app_arguments(limits: RequestLimits, *, login: bool, preview: Middleware | None = None) -> dict[str, Any]:
    """Return the arguments of the page's FastAPI app: the guard, the limits and what protects accounts."""
    body_limits = Middleware(BodyLimits, limits, Uploads(_upload_folder(), limits))
    signs_in = sign_in.is_enabled()
    accounts = [Middleware(SignInMiddleware)] if signs_in else []
    inner = [*([preview] if preview else []), Middleware(PageFiles)]
    middleware = [Middleware(ClientAddress), Middleware(Guard), *accounts, body_limits, *inner]
    arguments: dict[str, Any] = {"middleware": middleware, "dependencies": [Depends(EventCheck(limits))]}
    arguments["exception_handlers"] = UNKNOWN_EVENT
    if login or signs_in:
        middleware.insert(0, Middleware(SameOrigin, allowed_origins(), as_guest=signs_in))
        arguments["lifespan"] = outermost
    return arguments


def _upload_folder() -> Path:
    """Return the folder of uploads. Gradio saves pages with all their values there too; that route is closed."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder()).absolute()


def mcp_enabled() -> bool:
    """Return whether SPACEPORT_MCP asks for the page's API as MCP tools; exit if the package mcp is missing."""
    if not os.environ.get("SPACEPORT_MCP"):
        return False
    if importlib.util.find_spec("mcp") is None:
        raise SystemExit("error: SPACEPORT_MCP needs the package mcp.\n  Install it: pip install mcp.")
    if credentials():
        # Gradio's MCP server checks no login, and calls the page without one: it lists the tools, but none works.
        raise SystemExit("error: SPACEPORT_MCP doesn't work with SPACEPORT_AUTH.\n  Unset one of them.")
    return True
