"""The HTTP routes: pictures for clients of several APIs; health, metrics and the model for operators."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from backends import Rejected
from inference.formats.cloud_platforms import only_answer
from inference.http.answer_streams import JSONAnswer
from inference.http.error_handlers import request_id
from inference.http.keys import authorizer
from inference.http.request_body import LARGE_BODIES
from inference.http.server_app import add_model_route, add_server_routes, dialects_of, new_app
from vision.requests import ClassifyRequest, read_request
from vision.service import DIALECTS, VisionService
from vision.work import Classify

CLASSIFY, INVOCATIONS, PREDICT = "/v1/classify", "/invocations", "/predict"
ROUTES = f"POST to {CLASSIFY}, {INVOCATIONS} or {PREDICT}; GET /v1/models, /health, /ready, /metrics."
PNG = "image/png"


def create_app(service: VisionService) -> FastAPI:
    """Return the app for `service`; the caller loads and drains the service."""
    app, settings = new_app("Spaceport vision"), service.settings
    large_bodies = asyncio.Semaphore(LARGE_BODIES)
    routes = (CLASSIFY, INVOCATIONS, settings.predict_route or PREDICT)
    dialect_by_route = dialects_of(routes, DIALECTS)

    async def classify(request: Request) -> Response:
        """Classify the pictures of a request."""
        pictures = await read_request(request, settings, large_bodies)
        service.ready()
        return _answer(service, request, pictures, dialect_by_route[request.url.path])

    authorize = authorizer(settings.api_key)
    for path, dialect in dialect_by_route.items():
        app.add_api_route(
            path, classify, methods=["POST"], name=dialect, dependencies=[Depends(authorize)], openapi_extra=_BODY
        )
    add_server_routes(app, service, dialect_by_route, health_route=settings.health_route, routes=ROUTES)
    add_model_route(app, service, authorize)
    return app


def _answer(service: VisionService, request: Request, pictures: ClassifyRequest, dialect: str) -> Response:
    work = Classify(service, pictures, request_id=request_id(request), dialect=dialect)
    if not _wants_picture(request):
        return JSONAnswer(service, [work], only_answer)
    if not pictures.explain or len(pictures.pictures) != 1 or pictures.instances:
        message = f"The answer to {PNG} is the map of what decided, for one picture."
        raise Rejected(message, "Send one picture and explain=occlusion, or accept application/json.", status=406)
    return HeatMapAnswer(service, [work], only_answer)


def _wants_picture(request: Request) -> bool:
    """Return whether the client accepts only PNG: a browser accepts it besides others."""
    accepted = [part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    return accepted == [PNG]


class HeatMapAnswer(JSONAnswer):
    """The map as a picture; the header x-labels has the rest of the answer, as JSON."""

    def make_response(self, content: Any, headers: dict[str, str]) -> Response:
        (result,) = content["results"]
        heat_map = base64.b64decode(result.pop("heat_map"))
        return Response(heat_map, headers={**headers, "x-labels": json.dumps(result["labels"])}, media_type=PNG)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {"type": "object", "properties": {"image": {"type": "string", "format": "byte"}}},
                "example": {"image": "iVBORw0KGgo…", "top_k": 5, "explain": "occlusion"},
            },
        },
    }
}
