"""What stands before a container on Vertex AI, on a local port: tokens, the endpoint's resource, streamRawPredict."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

RESOURCE = "/v1/projects/demo/locations/us-central1/endpoints/4711"
TOKEN = "ya29.local"


@contextlib.contextmanager
def serving(model: str) -> Iterator[str]:
    """The address of a Vertex AI that hands on to `model`, the address of a container."""

    async def token(request: Request) -> Response:
        return JSONResponse({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    async def resource(request: Request) -> Response:
        return JSONResponse({"name": RESOURCE[4:], "displayName": "chat", "deployedModels": [{"id": "1"}]})

    async def stream(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": {"code": 401, "message": "no token", "status": "UNAUTHENTICATED"}}, 401)
        body = await request.body()

        async def chunks() -> AsyncIterator[bytes]:
            headers = {"content-type": "application/json"}
            async with (
                httpx2.AsyncClient(timeout=120, verify=False) as client,
                client.stream("POST", f"{model}/predict", content=body, headers=headers) as said,
            ):
                async for chunk in said.aiter_raw():
                    yield chunk

        return StreamingResponse(chunks(), media_type="text/event-stream")

    routes = [
        Route("/token", token, methods=["POST"]),
        Route(RESOURCE, resource),
        Route(f"{RESOURCE}:streamRawPredict", stream, methods=["POST"]),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), "127.0.0.1", 0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
