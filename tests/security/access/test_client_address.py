"""Whose request it is: forged headers, floods of events, and callers who hang up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.helpers.servers import serving_app, wait_until
from ui.admission import client
from ui.admission.client import HUB_PROXIES, ClientAddress
from ui.admission.work_limits import Limits

running: set[str] = set()


async def echo(request: Request) -> JSONResponse:
    headers = request.headers.getlist("x-forwarded-for")
    return JSONResponse({"address": client.address.get(), "headers": headers})


async def work(request: Request) -> JSONResponse:
    """Take long, like a call of the API."""
    name = (await request.body()).decode()
    running.add(name)
    try:
        await asyncio.sleep(60)
    finally:
        running.discard(name)
    return JSONResponse({})


@contextmanager
def server(limits: Limits | None = None, **options: object) -> Iterator[str]:
    routes = [
        Route("/gradio_api/run/work", work, methods=["POST"]),
        Route("/gradio_api/queue/join", echo, methods=["POST"]),
        Route("/", echo),
    ]
    app = ClientAddress(Starlette(routes=routes), limits or Limits())
    with serving_app(app, **options) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("trusted", "header", "address"),
    [
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1", "127.0.0.1"),
        (HUB_PROXIES, "198.51.100.9, 192.0.2.1, 10.4.5.6", "192.0.2.1"),
        (HUB_PROXIES, "10.1.1.1, 192.0.2.1", "192.0.2.1"),
    ],
)
def test_only_a_trusted_proxy_tells_the_address(trusted: str, header: str, address: str) -> None:
    """MCP calls the page again with the headers of its caller, so the forged part must be gone."""
    with server(forwarded_allow_ips=trusted) as url:
        seen = httpx2.get(url, headers={"X-Forwarded-For": header}).json()
    assert seen == {"address": address, "headers": [address]}


def test_a_space_believes_the_proxies_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    monkeypatch.setenv("SPACE_ID", "somebody/demo")
    client.trust_hub_proxies()
    with server() as url:
        seen = httpx2.get(url, headers={"X-Forwarded-For": "198.51.100.9, 192.0.2.1"}).json()
    assert seen["address"] == "192.0.2.1"


@pytest.mark.parametrize(
    "path", ["queue/data?session_hash=a", "heartbeat/a", "upload_progress?upload_id=a", "call/a/b"]
)
def test_a_flood_of_streams_is_refused(path: str) -> None:
    """Each leaves something behind: a name that Gradio keeps, or an error in the log."""
    with server(Limits(events_per_second=3)) as url, httpx2.Client(base_url=url) as http:
        statuses = [http.get(f"/gradio_api/{path}").status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]


def test_a_flood_of_events_is_refused_for_its_address_only() -> None:
    with server(Limits(events_per_second=3)) as url, httpx2.Client(base_url=url) as http:

        def send(address: str) -> httpx2.Response:
            return http.post("/gradio_api/queue/join", headers={"X-Forwarded-For": address})

        answers = [send("192.0.2.1") for _ in range(40)]
        assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 10
        assert (
            answers[-1].json()["detail"].startswith("Your network sends more events than this page allows. Try again")
        )
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
        assert send("192.0.2.2").status_code == 200
        assert http.get("/", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200


def test_a_call_ends_when_its_caller_hangs_up() -> None:
    with server() as url:
        with pytest.raises(httpx2.TimeoutException):
            httpx2.post(f"{url}/gradio_api/run/work", content=b"left", timeout=0.5)
        wait_until(lambda: "left" not in running)
