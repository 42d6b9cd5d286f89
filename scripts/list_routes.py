"""Prints every route of the pages, the dashboard and the servers with who may call it.

python scripts/list_routes.py > docs/routes.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from diffusion.app import create_app as create_diffusion_app
from diffusion.service import DiffusionService
from diffusion.settings import DiffusionSettings
from gateway.app import create_app as create_gateway_app
from gateway.service import Gateway
from gateway.settings import Settings as GatewaySettings
from inference.app import create_app
from inference.service import Service
from inference.settings import Settings
from ui.access.routes import API, GRADIO, SIGN_IN, STREAMLIT, RouteTable, installed_routes
from vision.app import create_app as create_vision_app
from vision.service import VisionService
from vision.settings import VisionSettings

ROOT = Path(__file__).parents[1]
Row = tuple[str, str, str]  # path, method, caller
NOTE = "<!-- `python scripts/list_routes.py > docs/routes.md` writes this page; a test compares them. -->"
PAGES = """\
The guard ([guard.py](../spaces/ui/access/guard.py)) answers 404 where nobody may call, and for what a later version of
Gradio adds. [routes.py](../spaces/ui/access/routes.py) opens routes, and has the reason for each closed one. Without
`SPACEPORT_AUTH`, everybody counts as logged in. The MCP routes exist only on the chat page, with `SPACEPORT_MCP`,
and `/login/huggingface` and `/login/callback` only on its Space, with `hf_oauth: true`."""
DASHBOARD = """\
The same guard protects the dashboard, which has no login. `/` contains the static files and the pages."""
SERVER = """\
Without `SPACEPORT_API_KEY`, everybody counts as having the key. `AIP_PREDICT_ROUTE` renames `/predict`, and
`AIP_HEALTH_ROUTE` adds another name of `/ready`."""

GATEWAY = "A key is one that `python -m gateway keys add` has made, and that isn't revoked."


def page_routes() -> Iterator[Row]:
    """Yield the routes of the chat page and of the comparator, which are the same but for MCP and signing in."""
    yield from ((route.path, route.method, route.caller) for route in installed_routes())
    for path, methods in (GRADIO | SIGN_IN).items():
        if path.startswith(f"{API}/mcp") or path in SIGN_IN:
            yield from ((path, method, "everybody") for method in methods.split())


@cache  # Streamlit creates one app per process
def streamlit_routes() -> list[Any]:
    """Return the routes of the installed Streamlit."""
    from streamlit.web.server.starlette.starlette_app import App

    return list(App(ROOT / "spaces" / "dashboard" / "dashboard.py")._build_starlette_app().routes)


def dashboard_routes() -> Iterator[Row]:
    """Yield the routes of the dashboard with their callers: "everybody" or "nobody"."""
    table = RouteTable(STREAMLIT)
    for route in streamlit_routes():
        path = getattr(route, "path", "") or "/"
        for method in sorted(_methods(route)):
            scope = {"type": "http", "method": method, "path": path.replace(":path}", "}"), "root_path": ""}
            yield path, method, "everybody" if table.allows(scope) else "nobody"


def inference_routes() -> Iterator[Row]:
    """Yield the routes of the inference server with their callers: "everybody" or "who has the key"."""
    yield from _keyed_routes(create_app(Service(Settings())), "who has the key")


def vision_routes() -> Iterator[Row]:
    """Yield the routes of the vision server, as those of the inference server."""
    yield from _keyed_routes(create_vision_app(VisionService(VisionSettings())), "who has the key")


def diffusion_routes() -> Iterator[Row]:
    """Yield the routes of the diffusion server, as those of the inference server."""
    yield from _keyed_routes(create_diffusion_app(DiffusionService(DiffusionSettings())), "who has the key")


def gateway_routes() -> Iterator[Row]:
    """Yield the routes of the gateway with their callers: "everybody" or "who has a key"."""
    with TemporaryDirectory() as folder:
        gateway = Gateway(GatewaySettings(data=folder))
        yield from _keyed_routes(create_gateway_app(gateway), "who has a key")
        gateway.close()


def _keyed_routes(app: FastAPI, caller: str) -> Iterator[Row]:
    for route in app.routes:
        dependencies = route.dependant.dependencies if isinstance(route, APIRoute) else []
        key = any(getattr(each.call, "__name__", "") == "authorize" for each in dependencies)
        for method in sorted(_methods(route)):
            yield getattr(route, "path", ""), method, caller if key else "everybody"


def markdown() -> str:
    """Return the page with all tables."""
    sections = [
        ("The chat page and the comparator", PAGES, page_routes()),
        ("The dashboard", DASHBOARD, dashboard_routes()),
        ("The inference server", SERVER, inference_routes()),
        ("The vision server", SERVER, vision_routes()),
        ("The diffusion server", SERVER, diffusion_routes()),
        ("The gateway", GATEWAY, gateway_routes()),
    ]
    texts = [f"## {title}\n\n{text}\n\n{_table(rows)}" for title, text, rows in sections]
    return "\n\n".join(["# Routes", NOTE, "Who may call which route of each program.", *texts]) + "\n"


def _methods(route: Any) -> set[str]:
    """Return the methods of a Starlette route; a mount serves files, and a route of neither kind is a WebSocket."""
    if type(route).__name__ == "WebSocketRoute":
        return {"WEBSOCKET"}
    return set(getattr(route, "methods", None) or {"GET"})


def _table(rows: Iterable[Row]) -> str:
    methods: dict[tuple[str, str], list[str]] = {}
    for path, method, caller in rows:
        methods.setdefault((path, caller), []).append(method)
    lines = [f"| `{path}` | {', '.join(dict.fromkeys(each))} | {caller} |" for (path, caller), each in methods.items()]
    return "\n".join(["| path | methods | who may call it |", "|---|---|---|", *lines])


if __name__ == "__main__":
    print(markdown(), end="")
