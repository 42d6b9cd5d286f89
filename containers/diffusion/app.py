"""The HTTP routes: pictures for clients of several APIs; health, metrics and the model for operators."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from diffusion.answers import PictureStream
from diffusion.requests import read_request
from diffusion.service import DIALECTS, DiffusionService
from diffusion.work import Draw
from inference.formats.cloud_platforms import format_predictions, only_answer
from inference.http.answer_streams import JSONAnswer
from inference.http.error_handlers import request_id
from inference.http.keys import authorizer
from inference.http.request_body import LARGE_BODIES, read_json
from inference.http.server_app import add_model_route, add_server_routes, dialects_of, new_app

IMAGES, INVOCATIONS, PREDICT = "/v1/images/generations", "/invocations", "/predict"
ROUTES = f"POST to {IMAGES}, {INVOCATIONS} or {PREDICT}; DELETE {IMAGES}/ID; GET /v1/models, /health, /ready, /metrics."


def create_app(service: DiffusionService) -> FastAPI:
    """Return the app for `service`; the caller loads and drains the service."""
    app, settings = new_app("Spaceport diffusion"), service.settings
    large_bodies = asyncio.Semaphore(LARGE_BODIES)
    routes = (IMAGES, INVOCATIONS, settings.predict_route or PREDICT)
    dialect_by_route = dialects_of(routes, DIALECTS)

    async def generate(request: Request) -> Response:
        """Make pictures from a prompt, in one answer or, with `stream`, as events."""
        body = await read_json(request, int(settings.max_body_mb * 1e6), large_bodies)
        return _answer(service, body, request_id(request), dialect_by_route[request.url.path])

    authorize = authorizer(settings.api_key)
    for path, dialect in dialect_by_route.items():
        app.add_api_route(
            path, generate, methods=["POST"], name=dialect, dependencies=[Depends(authorize)], openapi_extra=_BODY
        )
    add_server_routes(app, service, dialect_by_route, health_route=settings.health_route, routes=ROUTES)
    add_model_route(app, service, authorize)
    _add_cancel_route(app, service, authorize)
    return app


def _add_cancel_route(app: FastAPI, service: DiffusionService, authorize: Any) -> None:
    @app.delete(f"{IMAGES}/{{name}}", dependencies=[Depends(authorize)])
    async def cancel(name: str) -> dict[str, Any]:
        """End the requests with this ID, which a client can choose as x-request-id: each ends after its step."""
        return {"id": name, "cancelled": service.cancel(name)}


def _answer(service: DiffusionService, body: Any, shared_id: str, dialect: str) -> Response:
    generator = service.ready()
    images = read_request(body, service.name)
    for picture in images.pictures:
        generator.check_request(picture)
    works = [
        Draw(service, picture, request_id=shared_id, dialect=dialect, stream=images.stream)
        for picture in images.pictures
    ]
    if images.stream:
        return PictureStream(service, works[0], silence_seconds=service.settings.silence_seconds)
    return JSONAnswer(service, works, format_predictions if images.instances else only_answer)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]},
                "example": {"prompt": "A lighthouse at dusk", "size": "512x512", "seed": 7, "stream": True},
            }
        },
    }
}
