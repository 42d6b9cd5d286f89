"""What stands before a container on SageMaker and on Vertex AI: their public wire, over TLS, forwarded to it.

Only what a client sees is here: the routes, AWS's event stream, the resource of an endpoint. The container is real.
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
    """Where it listens, and the certificate to trust for it."""

    url: str
    certificate: Path

    @property
    def host(self) -> str:
        return self.url.removeprefix("https://")


@contextlib.contextmanager
def serving(container: str, folder: Path) -> Iterator[Gateway]:
    """Forward to `container` (its URL) until the block ends."""
    trusted, key = certificate(folder, "gateway")
    told: dict[str, str] = {}
    tls = {"ssl_certfile": trusted, "ssl_keyfile": key, "ssl_version": ssl.PROTOCOL_TLS_SERVER}
    with servers.serving_app(_app(container, told), **tls) as port:
        told["host"] = f"localhost:{port}"
        yield Gateway(f"https://localhost:{port}", trusted)


def _app(container: str, told: dict[str, str]) -> FastAPI:
    app = FastAPI()

    async def forward(request: Request, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=container, timeout=120) as client:
            headers = {"content-type": request.headers.get("content-type", "application/json")}
            return await client.post(path, content=await request.body(), headers=headers)

    @app.post("/endpoints/{name}/invocations")
    async def invoke(name: str, request: Request) -> Response:
        said = await forward(request, "/invocations")
        return Response(said.content, said.status_code, media_type=said.headers["content-type"])

    @app.post("/endpoints/{name}/invocations-response-stream")
    async def invoke_stream(name: str, request: Request) -> Response:
        body = await request.body()
        frames = framed(servers.streamed(f"{container}/invocations", body))
        return StreamingResponse(frames, media_type="application/vnd.amazon.eventstream")

    @app.get(f"/v1/{RESOURCE}")
    async def resource() -> dict[str, Any]:
        dedicated = {"dedicatedEndpointEnabled": True, "dedicatedEndpointDns": told["host"]}
        return {"name": RESOURCE, "displayName": "chat", "createTime": "2026-01-01T00:00:00Z", **dedicated}

    @app.post(f"/v1/{RESOURCE}:{{method}}")
    async def vertex(method: str, request: Request) -> Response:
        if method == "streamRawPredict":
            chunks = servers.streamed(f"{container}/predict", await request.body())
            return StreamingResponse(chunks, media_type="text/event-stream")
        said = await forward(request, "/predict")
        if method == "predict" and said.status_code == 200:
            return Response(json.dumps(said.json() | {"deployedModelId": "1"}), media_type="application/json")
        return Response(said.content, said.status_code, media_type=said.headers["content-type"])

    return app
