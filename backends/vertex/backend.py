"""A model behind a Vertex AI endpoint, shared or dedicated: raw streams, raw answers, or instances."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backends.chat.client import ChatCall, stream_chat
from backends.chat.events import DONE, ChatReader
from backends.chat.requests import chat_body
from backends.errors import BackendError, NotConfigured, Overloaded, Rejected
from backends.http.client import get_json, post_stream
from backends.http.endpoint import Endpoint
from backends.http.errors import not_an_api, response_error, translate_errors
from backends.openai import one_token_request
from backends.settings import read_settings, require_package
from backends.types import Backend, ChatRequest, Delta, Done, Event, Health
from backends.vertex import gcp

ROUTES = {"stream": "streamRawPredict", "whole": "rawPredict", "instances": "predict"}
WAIT = 15.0  # seconds after which an endpoint that starts is worth another try
_RESOURCE = re.compile(r"projects/([^/]+)/locations/([^/]+)/endpoints/([^/]+)")


@dataclass(frozen=True, slots=True)
class Settings:
    """`endpoint` is its number or its full resource name; `project` is that of the credentials if it is left out.

    `route` is "stream" (streamRawPredict, which for one's own container wants a dedicated endpoint), "whole"
    (rawPredict) or "instances" (predict, for containers that know only that). `dns` is a dedicated endpoint's own
    address, which is looked up if it is left out. `model` is what the container is asked for. `url` is another address
    of the whole service.
    """

    endpoint: str
    project: str | None = None
    location: str = "us-central1"
    route: str = "stream"
    dns: str | None = None
    model: str | None = None
    url: str | None = None
    context: int | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the endpoint; nothing is sent, and no credentials are looked for, before the first request."""
    require_package("google.auth", extra="vertex")
    chosen = read_settings(Settings, settings)
    if chosen.route not in ROUTES:
        raise NotConfigured(f"There is no route {chosen.route!r}.", f"Write one of: {', '.join(ROUTES)}.")
    if full := _RESOURCE.fullmatch(chosen.endpoint):
        chosen = replace(chosen, project=full[1], location=full[2], endpoint=full[3])
    elif "/" in chosen.endpoint:
        what = f"{chosen.endpoint!r} names no endpoint."
        raise NotConfigured(what, "Write its number, or projects/…/locations/…/endpoints/….")
    return VertexBackend(chosen)


class VertexBackend:
    """Streams from one endpoint; the body that Vertex AI passes through is the chat format."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = gcp.Tokens()
        self._address: str | None = f"https://{settings.dns}" if settings.dns else None

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; see `backends.types.Backend`."""
        if self._settings.route == "instances":
            return self._predicted(request)
        return stream_chat(partial(self._call, request))

    async def check(self) -> Health:
        """Ask for the endpoint and what is deployed there; who may not see it asks for one token instead."""
        name = self._settings.model or self._settings.endpoint
        try:
            found = await self._described()
        except Rejected as error:
            if error.status != 403:
                raise
            async for _ in self.stream(one_token_request()):
                pass
            return Health(name, self._settings.context, "the endpoint itself may not be looked at")
        deployed = found.get("deployedModels") or []
        if not deployed:
            what = f"Nothing is deployed on the Vertex AI endpoint {self._settings.endpoint}."
            raise Overloaded(what, "Deploy a model to it, or wait until that is done.", retry_after=WAIT)
        kind = "dedicated" if found.get("dedicatedEndpointEnabled") else "shared"
        title = str(deployed[0].get("displayName") or found.get("displayName") or name)
        return Health(self._settings.model or title, self._settings.context, f"{kind} endpoint, {title}")

    async def aclose(self) -> None:
        """Nothing to do: connections are pooled in `backends.http.client` and outlive a target."""

    async def _call(self, request: ChatRequest) -> ChatCall:
        chosen = self._settings
        body = chat_body(request, model=chosen.model, stream=chosen.route == "stream") | dict(chosen.extra_body)
        endpoint = await self._place()
        return ChatCall(endpoint, await self._path(ROUTES[chosen.route]), body, make_error=self._refusal)

    async def _predicted(self, request: ChatRequest) -> AsyncIterator[Event]:
        """The one prediction for the one instance, as Vertex AI's own clients ask for it."""
        chosen = self._settings
        instance = chat_body(request, model=chosen.model, stream=False) | dict(chosen.extra_body)
        endpoint = await self._place()
        path, body = await self._path(ROUTES[chosen.route]), {"instances": [instance]}
        async with post_stream(endpoint, path, body, None, self._refusal) as response:
            with translate_errors(endpoint):
                content = await response.aread()
        try:
            prediction = json.loads(content)["predictions"][0]
        except (ValueError, LookupError, TypeError) as error:
            raise not_an_api(endpoint, content.decode("utf-8", "replace")) from error
        if isinstance(prediction, str):  # a container that knows no chat
            yield Delta(prediction)
            yield Done(None, None)
            return
        reader = ChatReader(endpoint.quote)
        for delta in reader.read(json.dumps(prediction)) + reader.finish([DONE]):
            yield delta
        yield reader.done

    async def _place(self) -> Endpoint:
        """The endpoint's URL with a token that is valid: the regional address, or a dedicated endpoint's own."""
        if self._address is None:
            self._address = await self._own_address()
        return await self._at(self._address)

    async def _own_address(self) -> str:
        try:
            found = await self._described()
        except Rejected as error:
            if error.status != 403:
                raise
            return self._service  # a shared endpoint may be called by who may not look at it
        return f"https://{found['dedicatedEndpointDns']}" if found.get("dedicatedEndpointDns") else self._service

    async def _described(self) -> dict[str, Any]:
        endpoint = await self._at(self._service)
        found = await get_json(endpoint, await self._path(), self._refusal)
        return found if isinstance(found, dict) else {}

    async def _at(self, address: str) -> Endpoint:
        chosen = self._settings
        times = chosen.connect_timeout, chosen.read_timeout
        return Endpoint(
            address, await self._tokens.token(), *times, name=f"The Vertex AI endpoint {chosen.endpoint}"
        )

    async def _path(self, method: str = "") -> str:
        chosen = self._settings
        project = chosen.project or await self._tokens.project()
        if not project:
            what = "No Google Cloud project is set."
            raise NotConfigured(what, "Set project in the target, or GOOGLE_CLOUD_PROJECT.")
        resource = f"/v1/projects/{project}/locations/{chosen.location}/endpoints/{chosen.endpoint}"
        return f"{resource}:{method}" if method else resource

    @property
    def _service(self) -> str:
        return (self._settings.url or f"https://{self._settings.location}-aiplatform.googleapis.com").rstrip("/")

    def _refusal(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes
    ) -> BackendError:
        """The error for a response that is no success: Google's, or the container's own."""
        where, state, said = endpoint.name, *_told(endpoint, content)
        if status == 401:
            self._tokens.forget()
            return NotConfigured(f"Google Cloud refused the token: “{said}”.", gcp.SIGN_IN)
        if status == 403:
            remedy = "Give the account the role Vertex AI User (roles/aiplatform.user) in this project."
            return Rejected(f"Google Cloud does not allow the call: “{said}”.", remedy, status=403)
        if status == 404 and state == "NOT_FOUND":
            remedy = "Deploy it, or correct endpoint, project and location of the target."
            return Rejected(f"{where} is not there: “{said}”.", remedy, status=404)
        if state in ("FAILED_PRECONDITION", "UNAVAILABLE"):
            remedy = "It is starting, being updated or scaled to zero: try again in a minute."
            return Overloaded(f"{where} is not ready: “{said}”.", remedy, retry_after=WAIT)
        return response_error(endpoint, status, headers, content)


def _told(endpoint: Endpoint, content: bytes) -> tuple[str, str]:
    """Google's name for what is wrong, and its words; a stream's error comes as a list of one."""
    try:
        found = json.loads(content)
        error = (found[0] if isinstance(found, list) else found)["error"]
        return str(error.get("status", "")), endpoint.quote(str(error.get("message", "")))
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", endpoint.quote(content[:300].decode("utf-8", "replace"))
