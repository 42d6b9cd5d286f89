"""A model behind a SageMaker endpoint: its response stream, its chat route, or whole answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backends.chat.client import ChatCall, stream_chat
from backends.chat.events import ChatReader
from backends.chat.requests import chat_body
from backends.errors import BackendError, NotConfigured
from backends.http.endpoint import Endpoint
from backends.openai import one_token_request
from backends.sagemaker import aws
from backends.sagemaker.errors import Refusals, of_frame
from backends.settings import read_settings, require_package
from backends.stopwatch import now
from backends.text import to_json
from backends.types import Backend, ChatRequest, Event, Health

ROUTES = ("stream", "whole", "openai")


@dataclass(frozen=True, slots=True)
class Settings:
    """`endpoint` is its name; `region` and `profile` are those of the AWS environment if they are left out.

    `route` is "stream" (the response stream), "whole" for a container that cannot stream, or "openai" (the endpoint's
    chat route, with a bearer token made here). `component` and `variant` choose a part of the endpoint, `session_id`
    keeps to one instance. `model` is what the container is asked for; it may be left out. `url` is another address.
    """

    endpoint: str
    region: str | None = None
    profile: str | None = None
    route: str = "stream"
    component: str | None = None
    variant: str | None = None
    session_id: str | None = None
    model: str | None = None
    url: str | None = None
    context: int | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the endpoint; nothing is sent, and no credentials are looked for, before the first request."""
    require_package("boto3", extra="sagemaker")
    chosen = read_settings(Settings, settings)
    if chosen.route not in ROUTES:
        raise NotConfigured(f"There is no route {chosen.route!r}.", f"Write one of: {', '.join(ROUTES)}.")
    if chosen.route == "openai" and (chosen.variant or chosen.session_id):
        raise NotConfigured("The chat route knows no variant and no session.", 'Leave them out, or route = "stream".')
    return SageMakerBackend(chosen)


class SageMakerBackend:
    """Streams from one endpoint; the answer's body is the chat format, in SageMaker's frames where it streams."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._identity = aws.Identity(settings.region, settings.profile, settings.url)
        self._token, self._token_made = "", 0.0
        self._refusals = Refusals(self._identity, settings.endpoint, settings.component)
        self._endpoint: Endpoint | None = None

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; see `backends.types.Backend`."""
        prepare = self._chat_call if self._settings.route == "openai" else self._call
        return stream_chat(partial(asyncio.to_thread, prepare, request))

    async def check(self) -> Health:
        """Ask for the endpoint's state; who may not see it asks for one token instead."""
        found = await asyncio.to_thread(self._described)
        if found is None:
            async for _ in self.stream(one_token_request()):
                pass
            return Health(self._settings.model or self._settings.endpoint, self._settings.context)
        state = str(found["EndpointStatus"])
        if state != "InService":
            raise self._refusals.state(state, str(found.get("FailureReason", "")))
        variants = found.get("ProductionVariants") or []
        instances = sum(int(variant.get("CurrentInstanceCount") or 0) for variant in variants)
        detail = f"in service on {instances} instance{'' if instances == 1 else 's'}" if instances else "in service"
        return Health(self._settings.model or self._settings.endpoint, self._settings.context, detail)

    async def aclose(self) -> None:
        """Nothing to do: connections are pooled in `backends.http.client` and outlive a target."""

    # What runs in a thread: credentials may have to be fetched.

    def _call(self, request: ChatRequest) -> ChatCall:
        """The call that invokes the endpoint, signed."""
        chosen = self._settings
        streams = chosen.route == "stream"
        body = chat_body(request, model=chosen.model, stream=streams) | dict(chosen.extra_body)
        parameters = {
            "EndpointName": chosen.endpoint,
            "Body": to_json(body).encode("utf-8", "replace"),
            "ContentType": "application/json",
            "InferenceComponentName": chosen.component,
            "TargetVariant": chosen.variant,
            "SessionId": chosen.session_id,
        }
        operation = "InvokeEndpointWithResponseStream" if streams else "InvokeEndpoint"
        given = {name: value for name, value in parameters.items() if value is not None}
        signed = self._identity.signed(operation, **given)
        call = ChatCall(self._place(), signed.path, signed.body, signed.headers, self._refusals.invocation)
        return replace(call, unwrap=self._unwrap, type_header="x-amzn-sagemaker-content-type") if streams else call

    def _chat_call(self, request: ChatRequest) -> ChatCall:
        """The call of the endpoint's chat route; SageMaker finds the model by the path, so its name may be empty."""
        chosen = self._settings
        if not self._token or now() - self._token_made > aws.TOKEN_SECONDS / 4:
            self._token, self._token_made = self._identity.token(), now()
        body = chat_body(request, model=chosen.model) | dict(chosen.extra_body)
        part = f"/inference-components/{chosen.component}" if chosen.component else ""
        path = f"/endpoints/{chosen.endpoint}{part}/openai/v1/chat/completions"
        endpoint = replace(self._place(), api_key=self._token)
        return ChatCall(endpoint, path, {"model": "", **body}, make_error=self._refused)

    def _refused(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes
    ) -> BackendError:
        if status in (401, 403):
            self._token = ""  # the next request makes a new one
        return self._refusals.chat(endpoint, status, headers, content)

    def _place(self) -> Endpoint:
        if self._endpoint is None:
            chosen = self._settings
            what = f"The SageMaker endpoint {chosen.endpoint}"
            times = chosen.connect_timeout, chosen.read_timeout
            self._endpoint = Endpoint(self._identity.url, None, *times, name=what)
        return self._endpoint

    def _described(self) -> dict[str, Any] | None:
        """What SageMaker says of the endpoint, or None where that is not allowed or not known."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return dict(self._identity.client("sagemaker").describe_endpoint(EndpointName=self._settings.endpoint))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                raise self._refusals.unknown() from error
            return None
        except BotoCoreError:
            return None

    async def _unwrap(self, chunks: AsyncIterator[bytes], reader: ChatReader) -> AsyncIterator[bytes]:
        """The container's bytes out of AWS's event stream; an exception frame becomes an error."""
        from botocore.eventstream import EventStreamBuffer, ParserError

        frames = EventStreamBuffer()
        async for chunk in chunks:
            frames.add_data(chunk)
            try:
                for frame in frames:
                    headers = frame.headers
                    if headers.get(":message-type") != "event":
                        raise of_frame(headers, frame.payload, spoke=reader.has_output)
                    if headers.get(":event-type") == "PayloadPart":
                        yield frame.payload
            except ParserError as error:
                raise reader.stream_error(f"what it sent is no event stream ({error})") from error
