"""A fake Vertex AI in front of a container: tokens, the endpoint's resource, streamRawPredict."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.helpers import servers

RESOURCE = "/v1/projects/demo/locations/us-central1/endpoints/4711"
TOKEN = "ya29.local"


@contextlib.contextmanager
def serving(model: str) -> Iterator[str]:
    """Run a Vertex AI that forwards to the container at `model`, and yield its address."""

    async def token(request: Request) -> Response:
        return JSONResponse({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    async def resource(request: Request) -> Response:
        return JSONResponse({"name": RESOURCE[4:], "displayName": "chat", "deployedModels": [{"id": "1"}]})

    async def stream(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": {"code": 401, "message": "no token", "status": "UNAUTHENTICATED"}}, 401)
        chunks = servers.streamed(f"{model}/predict", await request.body())
        return StreamingResponse(chunks, media_type="text/event-stream")

    routes = [
        Route("/token", token, methods=["POST"]),
        Route(RESOURCE, resource),
        Route(f"{RESOURCE}:streamRawPredict", stream, methods=["POST"]),
    ]
    with servers.serving_app(Starlette(routes=routes)) as port:
        yield f"http://127.0.0.1:{port}"
