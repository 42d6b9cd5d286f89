"""Streams from a Vertex AI endpoint, shared or dedicated: raw streams, raw predictions, or instances."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backends.chat.answer_checks import checked
from backends.chat.client import ChatCall, stream_chat
from backends.chat.reader import ChatReader
from backends.chat.requests import chat_body
from backends.chat.settings import ChatSettings
from backends.chat.sse import DONE
from backends.errors import BackendError, NotConfigured, Overloaded, Rejected
from backends.http.client import get_json, post_stream, read_document
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import not_an_api
from backends.kinds.openai import one_token_request
from backends.kinds.vertex.errors import RETRY_SECONDS, google_error
from backends.kinds.vertex.gcp import TokenSource
from backends.settings import read_settings, require_package
from backends.types import Backend, ChatRequest, Delta, Done, Event, Health

# The setting `route`, and the method of the endpoint.
ROUTES = {"stream": "streamRawPredict", "whole": "rawPredict", "instances": "predict"}
_RESOURCE = re.compile(r"projects/([^/]+)/locations/([^/]+)/endpoints/([^/]+)")


@dataclass(frozen=True, slots=True)
class Settings(ChatSettings):
    """`endpoint` is a number or a full resource name; `project` defaults to that of the credentials.

    `route` is "stream" (streamRawPredict, which needs a dedicated endpoint for a custom container), "whole"
    (rawPredict) or "instances" (predict, for containers with only that method). `dns` is the address of a dedicated
    endpoint; by default the API is asked for it. `model` is the name for the container. `url` replaces the address of
    the service.
    """

    endpoint: str
    project: str | None = None
    location: str = "us-central1"
    route: str = "stream"
    dns: str | None = None
    model: str | None = None
    url: str | None = None
    context: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the endpoint; makes no request and looks for no credentials before the first request."""
    require_package("google.auth", extra="vertex")
    options = read_settings(Settings, settings)
    if options.route not in ROUTES:
        raise NotConfigured(f"There is no route {options.route!r}.", f"Write one of: {', '.join(ROUTES)}.")
    if match := _RESOURCE.fullmatch(options.endpoint):
        options = replace(options, project=match[1], location=match[2], endpoint=match[3])
    elif "/" in options.endpoint:
        raise NotConfigured(
            f"{options.endpoint!r} names no endpoint.", "Write its number, or projects/…/locations/…/endpoints/…."
        )
    return VertexBackend(options)


class VertexBackend:
    """Streams from one endpoint; Vertex AI passes the OpenAI chat format through."""

    local = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = TokenSource()
        self._parameters = settings.parameters
        self._address: str | None = f"https://{settings.dns}" if settings.dns else None

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it arrives; see `backends.types.Backend`."""
        if self._settings.route == "instances":
            return checked(self._predict(request), request)
        return checked(stream_chat(partial(self._call, request)), request)

    async def check(self) -> Health:
        """Ask which model the endpoint has; without the permission to see it, request one token instead."""
        name = self._settings.model or self._settings.endpoint
        try:
            description = await self._describe()
        except Rejected as error:
            if error.status != 403:
                raise
            async for _ in self.stream(one_token_request()):
                pass
            return Health(name, self._settings.context, "not allowed to see the endpoint itself")
        models = description.get("deployedModels") or []
        if not models:
            message = f"Nothing is deployed on the Vertex AI endpoint {self._settings.endpoint}."
            raise Overloaded(message, "Deploy a model to it, or wait until that is done.", retry_after=RETRY_SECONDS)
        kind = "dedicated" if description.get("dedicatedEndpointEnabled") else "shared"
        title = str(models[0].get("displayName") or description.get("displayName") or name)
        return Health(self._settings.model or title, self._settings.context, f"{kind} endpoint, {title}")

    async def aclose(self) -> None:
        """Do nothing: `backends.http.connections` pools the connections, which outlive a target."""

    async def _call(self, request: ChatRequest) -> ChatCall:
        route = self._settings.route
        body = self._body(request, stream=route == "stream")
        return ChatCall(
            await self._current_endpoint(),
            await self._path(ROUTES[route]),
            body,
            make_error=self._make_error,
            reasoning=self._settings.marks,
            adapt=self._parameters.learn,
        )

    async def _predict(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the prediction for one instance, the request format of Vertex AI's own clients."""
        body = {"instances": [self._body(request, stream=False)]}
        endpoint, path = await self._current_endpoint(), await self._path(ROUTES["instances"])
        async with post_stream(endpoint, path, body, None, self._make_error) as response:
            content = await read_document(endpoint, response)
        try:
            prediction = json.loads(content)["predictions"][0]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise not_an_api(endpoint, content.decode("utf-8", "replace")) from error
        if isinstance(prediction, str):  # a container without the chat format
            yield Delta(prediction)
            yield Done(None, None)
            return
        reader = ChatReader(endpoint.quote, self._settings.marks)
        for delta in [*reader.read(json.dumps(prediction)), *reader.finish([DONE])]:
            yield delta
        yield reader.done

    def _body(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]:
        body = chat_body(request, model=self._settings.model, stream=stream)
        return self._parameters.adapt(body) | dict(self._settings.extra_body)

    async def _current_endpoint(self) -> Endpoint:
        """The regional address, or that of a dedicated endpoint, with a valid token."""
        if self._address is None:
            self._address = await self._find_address()
        return await self._endpoint(self._address)

    async def _find_address(self) -> str:
        try:
            description = await self._describe()
        except Rejected as error:
            if error.status != 403:
                raise
            return self._service_url  # calling a shared endpoint doesn't need the permission to see it
        dns = description.get("dedicatedEndpointDns")
        return f"https://{dns}" if dns else self._service_url

    async def _describe(self) -> dict[str, Any]:
        endpoint = await self._endpoint(self._service_url)
        description = await get_json(endpoint, await self._path(), self._make_error)
        return description if isinstance(description, dict) else {}

    async def _endpoint(self, address: str) -> Endpoint:
        name = f"The Vertex AI endpoint {self._settings.endpoint}"
        options = self._settings
        return Endpoint(address, await self._tokens.token(), *options.timeouts, name=name, network=options.network)

    async def _path(self, method: str = "") -> str:
        options = self._settings
        project = options.project or await self._tokens.project()
        if not project:
            raise NotConfigured(
                "No Google Cloud project is set.", "Set project in the target, or GOOGLE_CLOUD_PROJECT."
            )
        resource = f"/v1/projects/{project}/locations/{options.location}/endpoints/{options.endpoint}"
        return f"{resource}:{method}" if method else resource

    @property
    def _service_url(self) -> str:
        return (self._settings.url or f"https://{self._settings.location}-aiplatform.googleapis.com").rstrip("/")

    def _make_error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
        if status == 401:
            self._tokens.invalidate()
        return google_error(endpoint, status, headers, content)
