"""The routes that the pages serve. All others are closed, and so are those that a later version of Gradio adds.

`python -m ui.access.routes` lists every route of the installed Gradio with who may call it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.routing import Match, Route

from ui.sign_in import settings as sign_in

if TYPE_CHECKING:
    from starlette.types import Scope

API = "/gradio_api"
# Each path, as Starlette writes it, with the methods that may be called; GET includes HEAD. The first path that matches
# a request counts.
GRADIO: dict[str, str] = {
    # The page and its files.
    "/": "GET",
    "/config": "GET",
    "/theme.css": "GET",
    "/favicon.ico": "GET",
    "/manifest.json": "GET",
    "/pwa_icon": "GET",
    "/pwa_icon/{size}": "GET",
    "/robots.txt": "GET",
    "/assets/{path:path}": "GET",
    "/static/{path:path}": "GET",
    "/svelte/{path:path}": "GET",
    f"{API}/theme.css": "GET",
    # Gradio fetches an address that is given as a file.
    **{f"{API}/file{sign}{scheme}:{{path:path}}": "" for sign in "=/" for scheme in ("http", "https")},
    # Visitors' own files.
    f"{API}/upload": "POST",
    f"{API}/upload_progress": "GET",
    f"{API}/file={{path:path}}": "GET",
    f"{API}/file/{{path:path}}": "GET",
    # Events and the API.
    f"{API}/queue/join": "POST",
    f"{API}/queue/data": "GET",
    f"{API}/run/{{name}}": "POST",
    f"{API}/api/{{name}}": "POST",
    f"{API}/call/v2/{{name}}": "POST",
    f"{API}/call/v2/{{name}}/{{event}}": "GET",
    f"{API}/call/{{name}}": "POST",
    f"{API}/call/{{name}}/{{event}}": "GET",
    f"{API}/cancel": "POST",
    f"{API}/reset": "POST",
    f"{API}/heartbeat/{{session}}": "GET",
    f"{API}/mcp": "GET POST DELETE",
    f"{API}/mcp/{{path:path}}": "GET POST DELETE",
    # Descriptions.
    "/openapi.json": "GET",
    f"{API}/info": "GET",
    f"{API}/openapi.json": "GET",
    f"{API}/app_id": "GET",
    f"{API}/startup-events": "GET",
    # Logging in.
    "/login": "POST",
    "/logout": "GET",
    f"{API}/login_check": "GET",
    f"{API}/user": "GET",
}
# Only on a Space where visitors sign in with Hugging Face; Gradio keeps the redirects on the page's own origin.
SIGN_IN: dict[str, str] = {"/login/huggingface": "GET", "/login/callback": "GET"}
# The beginnings of the paths that were reviewed and stay closed, with the reason. The guard doesn't read this; a test
# does.
GRADIO_CLOSED: dict[str, str] = {
    f"{API}/deep_link": "saves all that a page shows, passages included, as a file for anyone with the address",
    f"{API}/token": "gives a script the login, which its cookie hides from scripts",
    f"{API}/proxy=": "fetches addresses for a client",
    f"{API}/component_server": "calls methods of components; no component here has one",
    f"{API}/custom_component/": "serves packages; no component here needs it",
    f"{API}/queue/status": "shows how busy the page is",
    f"{API}/process_recording": "converts recordings",
    f"{API}/stream/": "streams audio and video",
    f"{API}/dev/reload": "reports edits of the code; open while `gradio app.py` watches it",
    f"{API}/runs": "shows the history of runs",
    f"{API}/run-history/": "stores the history of runs in a bucket",
    f"{API}/profiling/": "shows what others did",
    f"{API}/vibe-": "edits the code",
    f"{API}/undo-vibe-edit": "edits the code",
    "/monitoring": "shows what others did",
}
# The pages of the dashboard are paths of their own, so every other GET is open.
STREAMLIT: dict[str, str] = {
    "/_stcore/health": "GET OPTIONS",
    "/_stcore/host-config": "GET",
    "/_stcore/stream": "WEBSOCKET",
    "/_stcore/upload_file/{session}/{file}": "PUT DELETE OPTIONS",
    "/_stcore/bidi-components/{path:path}": "GET OPTIONS",
    "/media/{path:path}": "GET OPTIONS",
    "/component/{path:path}": "GET OPTIONS",
    "/_stcore/{path:path}": "",
    "/auth/{path:path}": "",
    "/oauth2callback": "",
    "/{path:path}": "GET",
}


class RouteTable:
    """The open routes; a path that isn't in the table is closed.

    Starlette's own routes do the matching, so that the prefix of a path (`root_path`) is removed as the router does it.
    `base` is a prefix that the router doesn't remove.
    """

    def __init__(self, methods_by_path: Mapping[str, str], base: str = "") -> None:
        self._routes = [
            (Route(f"{base.rstrip('/')}{path}", _no_endpoint), frozenset(methods.split()))
            for path, methods in methods_by_path.items()
        ]

    def allows(self, scope: Scope) -> bool:
        """Whether the table has the path and the method of a request; a slash at the end makes no difference."""
        method = scope.get("method", "WEBSOCKET")
        bare = scope["path"].rstrip("/")
        for path in (scope["path"], bare, f"{bare}/"):
            request = {**scope, "type": "http", "method": "GET", "path": path}
            for route, methods in self._routes:
                if route.matches(request)[0] is Match.FULL:
                    return ("GET" if method == "HEAD" else method) in methods
        return False


def gradio_routes() -> RouteTable:
    """Return the open routes of a Gradio page."""
    watched = {f"{API}/dev/reload": "GET"} if os.environ.get("GRADIO_WATCH_DIRS") else {}
    return RouteTable(GRADIO | watched | (SIGN_IN if sign_in.is_enabled() else {}))


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """A route of the installed Gradio: who may call it with which method, and where the reason is if nobody may."""

    path: str
    method: str
    caller: str


@cache
def installed_routes() -> tuple[RouteAccess, ...]:
    """Return every route of the installed Gradio; `caller` is "everybody", "who is logged in", or "nobody".

    Without SPACEPORT_AUTH, everybody counts as logged in.
    """
    import gradio as gr

    async def create_app() -> Any:  # Gradio leaves an event loop behind if none is running
        return gr.routes.App.create_app(gr.Blocks())

    return tuple(_route_access(asyncio.run(create_app())))


def _route_access(app: Any) -> Iterator[RouteAccess]:
    from fastapi.routing import iter_route_contexts

    table = gradio_routes()
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        # A path parameter that contains slashes has an example without any.
        example = path.replace(":path}", "}")
        for method in sorted(route.methods or {"GET"}):
            allowed = table.allows({"type": "http", "method": method, "path": example, "root_path": ""})
            yield RouteAccess(path, method, _caller(route) if allowed else "nobody")


def _caller(route: Any) -> str:
    dependant = getattr(route, "dependant", None)
    names = [each.call.__name__ for each in dependant.dependencies if each.call] if dependant else []
    return "who is logged in" if "login_check" in names else "everybody"


async def _no_endpoint(request: Any) -> None:
    """Never called: the table's routes only match."""


if __name__ == "__main__":
    for each in installed_routes():
        print(f"{each.method:8}{each.path:80}{each.caller}")
