"""Every route of the installed Gradio and Streamlit is open by a decision; what a later version adds is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from diffusion.app import create_app as create_diffusion_app
from diffusion.service import DiffusionService
from diffusion.settings import DiffusionSettings
from gateway.app import create_app as create_gateway_app
from gateway.service import Gateway, Phase
from gateway.settings import Settings as GatewaySettings
from inference.app import create_app
from inference.service import Service
from inference.settings import Settings
from list_routes import (
    Row,
    diffusion_routes,
    gateway_routes,
    inference_routes,
    markdown,
    streamlit_routes,
    vision_routes,
)
from tests.conftest import ROOT
from ui.access.guard import Guard
from ui.access.routes import API, GRADIO, GRADIO_CLOSED, SIGN_IN, STREAMLIT, RouteTable, gradio_routes, installed_routes
from vision.app import create_app as create_vision_app
from vision.service import VisionService
from vision.settings import VisionSettings


def request(path: str, method: str = "GET", root: str = "") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "root_path": root}


def test_every_route_of_the_installed_gradio_is_open_or_was_closed_after_a_review() -> None:
    """If this fails after an upgrade: review the new route, then add it to one of the two tables."""
    installed = installed_routes()
    assert len(installed) > 70
    unknown = [
        each for each in installed if each.caller == "nobody" and not any(map(each.path.startswith, GRADIO_CLOSED))
    ]
    assert unknown == []


def test_nothing_reviewed_as_closed_is_open() -> None:
    callers = {(each.method, each.path): each.caller for each in installed_routes()}
    for (method, path), caller in callers.items():
        if any(map(path.startswith, GRADIO_CLOSED)):
            assert caller == "nobody", (method, path)
    assert callers["GET", f"{API}/deep_link"] == "nobody"
    assert callers["GET", "/config"] == callers["POST", f"{API}/queue/join"] == "who is logged in"
    assert callers["POST", "/login"] == "everybody"


def test_every_open_path_exists_in_the_installed_gradio() -> None:
    """A path that no version has would be open for the first one that adds it."""
    installed = [each for each in installed_routes() if each.caller != "nobody"]
    for path, methods in GRADIO.items():
        if f"{API}/mcp" in path or not methods:  # only with SPACEPORT_MCP, or closed
            continue
        table = RouteTable({path: methods})
        assert any(table.allows(request(each.path.replace(":path", ""), each.method)) for each in installed), path


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("root", ["", "/chat", "/a/b"])
def test_a_route_that_nobody_listed_is_closed(method: str, root: str) -> None:
    for path in (
        f"{API}/added",
        f"{API}/deep_link",
        "/added",
        f"{API}/call",
        f"{API}/call/a/b/c",
        "//config",
        f"{API}",
    ):
        assert not gradio_routes().allows(request(root + path, method, root)), path
    assert not gradio_routes().allows(request(f"{root}/config", "DELETE", root))
    assert gradio_routes().allows(request(f"{root}/config", "HEAD", root))
    assert gradio_routes().allows(request(f"{root}/", "GET", root))


def test_the_watcher_of_edits_is_open_only_while_edits_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_WATCH_DIRS", raising=False)
    assert not gradio_routes().allows(request(f"{API}/dev/reload"))
    monkeypatch.setenv("GRADIO_WATCH_DIRS", "/code")
    assert gradio_routes().allows(request(f"{API}/dev/reload"))


def test_signing_in_is_open_only_where_the_hub_has_set_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = {"SYSTEM": "spaces", "SPACE_ID": "lab/chat", "OAUTH_CLIENT_ID": "client"}
    for name in (*hub, "SPACEPORT_AUTH"):
        monkeypatch.delenv(name, raising=False)
    for path in SIGN_IN:
        assert not gradio_routes().allows(request(path))
    for name, value in hub.items():
        monkeypatch.setenv(name, value)
    for path in SIGN_IN:
        assert gradio_routes().allows(request(path))
        assert not gradio_routes().allows(request(path, "POST"))
    monkeypatch.setenv("SPACEPORT_AUTH", "ada:engine")  # accounts of its own
    assert not any(gradio_routes().allows(request(path)) for path in SIGN_IN)


def added_by_a_later_version() -> Starlette:
    async def answer(_: Any) -> PlainTextResponse:
        return PlainTextResponse("secret")

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text("secret")

    added = [Route(f"{API}/added", answer), WebSocketRoute(f"{API}/socket", socket), Mount("/mounted", answer)]
    return Starlette(routes=[Route("/config", answer), *added], middleware=[Middleware(Guard)])


def test_the_guard_closes_routes_mounts_and_sockets_that_nobody_listed() -> None:
    client = TestClient(added_by_a_later_version())
    assert client.get("/config").text == "secret"
    for path in (f"{API}/added", f"{API}/added/", "/mounted", "/mounted/x"):
        response = client.get(path)
        assert (response.status_code, response.text) == (404, "")
        assert "content-security-policy" in response.headers
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"{API}/socket"):
        pass


def test_every_route_of_the_installed_streamlit_is_listed() -> None:
    for route in streamlit_routes():
        path = getattr(route, "path", "")
        listed = [
            table_path for table_path in STREAMLIT if RouteTable({table_path: "GET"}).allows(request(path or "/"))
        ]
        # Only the static files and the pages are left to the last line, which opens every other GET.
        assert listed[0] != "/{path:path}" or isinstance(route, Mount) or path.startswith("/app/static"), path


@pytest.mark.parametrize("base", ["", "/board"])
def test_the_dashboard_serves_its_pages_and_nothing_internal(base: str) -> None:
    table = RouteTable(STREAMLIT, base)
    allowed: Callable[..., bool] = lambda path, method="GET": table.allows(request(base + path, method))  # noqa: E731
    for path in (
        "/",
        "/runs",
        "/_stcore/health",
        "/media/a.csv",
        "/static/js/x.js",
        "/runs/_stcore/health",
    ):
        assert allowed(path), path
    assert table.allows({"type": "websocket", "path": f"{base}/_stcore/stream", "root_path": ""})
    for path in ("/_stcore/metrics", "/_stcore/agent/mcp", "/_stcore/script-health-check", "/auth/login"):
        assert not allowed(path), path
    assert allowed("/_stcore/upload_file/a/b", "PUT")
    assert not allowed("/runs", "POST")


def test_the_page_of_all_routes_is_what_the_command_prints() -> None:
    """If this fails: `python scripts/list_routes.py > docs/routes.md`, and review the difference."""
    assert (ROOT / "docs" / "routes.md").read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize(
    ("app", "listed", "example"),
    [
        (create_app(Service(Settings(api_key="secret"))), inference_routes, "/v1/chat/completions"),
        (create_vision_app(VisionService(VisionSettings(api_key="secret"))), vision_routes, "/v1/classify"),
        (
            create_diffusion_app(DiffusionService(DiffusionSettings(api_key="secret"))),
            diffusion_routes,
            "/v1/images/generations",
        ),
    ],
    ids=["inference", "vision", "diffusion"],
)
def test_a_server_asks_for_the_key_where_the_list_says_so(
    app: FastAPI, listed: Callable[[], Iterator[Row]], example: str
) -> None:
    client = TestClient(app)
    rows = list(listed())
    assert (example, "POST", "who has the key") in rows
    for path, method, caller in rows:
        assert (client.request(method, path).status_code == 401) == (caller == "who has the key"), path


def test_the_gateway_asks_for_a_key_where_the_list_says_so(tmp_path: Path) -> None:
    gateway = Gateway(GatewaySettings(data=str(tmp_path)))
    gateway.phase = Phase.READY
    client = TestClient(create_gateway_app(gateway))
    listed = list(gateway_routes())
    assert ("/v1/chat/completions", "POST", "who has a key") in listed
    for path, method, caller in listed:
        assert (client.request(method, path).status_code == 401) == (caller == "who has a key"), path
    gateway.close()
