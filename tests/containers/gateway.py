"""A fake of SageMaker's and Vertex AI's public endpoints, which forwards requests over TLS to a real container.

It implements what clients see: the routes, AWS's event stream, and the endpoint resource.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from tests.backends.event_stream import framed
from tests.helpers import servers
from tests.helpers.certificates import certificate

PROJECT, REGION, ENDPOINT = "spaceport-test", "us-central1", "4711"
RESOURCE = f"projects/{PROJECT}/locations/{REGION}/endpoints/{ENDPOINT}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The URL of the gateway, and its self-signed certificate."""

    url: str
    certificate: Path

    @property
    def host(self) -> str:
        return self.url.removeprefix("https://")


@contextlib.contextmanager
def run_gateway(container: str, folder: Path) -> Iterator[Gateway]:
    """Run a gateway to the container at this URL until the block ends."""
    certificate_file, key = certificate(folder, "gateway")
    addresses: dict[str, str] = {}  # the host is known once the server listens
    tls = {"ssl_certfile": certificate_file, "ssl_keyfile": key, "ssl_version": ssl.PROTOCOL_TLS_SERVER}
    with servers.serving_app(_app(container, addresses), **tls) as port:
        addresses["host"] = f"localhost:{port}"
        yield Gateway(f"https://localhost:{port}", certificate_file)


def _app(container: str, addresses: dict[str, str]) -> FastAPI:
    app = FastAPI()

    async def forward(request: Request, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=container, timeout=120) as client:
            headers = {"content-type": request.headers.get("content-type", "application/json")}
            return await client.post(path, content=await request.body(), headers=headers)

    @app.post("/endpoints/{name}/invocations")
    async def invoke(name: str, request: Request) -> Response:
        response = await forward(request, "/invocations")
        return Response(response.content, response.status_code, media_type=response.headers["content-type"])

    @app.post("/endpoints/{name}/invocations-response-stream")
    async def invoke_stream(name: str, request: Request) -> Response:
        body = await request.body()
        frames = framed(servers.streamed(f"{container}/invocations", body))
        return StreamingResponse(frames, media_type="application/vnd.amazon.eventstream")

    @app.get(f"/v1/{RESOURCE}")
    async def resource() -> dict[str, Any]:
        dedicated = {"dedicatedEndpointEnabled": True, "dedicatedEndpointDns": addresses["host"]}
        return {"name": RESOURCE, "displayName": "chat", "createTime": "2026-01-01T00:00:00Z", **dedicated}

    @app.post(f"/v1/{RESOURCE}:{{method}}")
    async def vertex(method: str, request: Request) -> Response:
        if method == "streamRawPredict":
            chunks = servers.streamed(f"{container}/predict", await request.body())
            return StreamingResponse(chunks, media_type="text/event-stream")
        response = await forward(request, "/predict")
        if method == "predict" and response.status_code == 200:
            return Response(json.dumps(response.json() | {"deployedModelId": "1"}), media_type="application/json")
        return Response(response.content, response.status_code, media_type=response.headers["content-type"])

    return app
