"""Streams from a SageMaker endpoint: its response stream, its chat route, or complete responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backends.chat.answer_checks import checked
from backends.chat.client import ChatCall, stream_chat
from backends.chat.requests import chat_body
from backends.chat.settings import ChatSettings
from backends.errors import BackendError, NotConfigured
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import ErrorFactory
from backends.kinds.openai import one_token_request
from backends.kinds.sagemaker.aws import TOKEN_SECONDS, Identity
from backends.kinds.sagemaker.errors import EndpointErrors
from backends.kinds.sagemaker.frames import unwrap_frames
from backends.settings import read_settings, require_package
from backends.stopwatch import now
from backends.text import to_json
from backends.types import Backend, ChatRequest, Event, Health

ROUTES = ("stream", "whole", "openai")


@dataclass(frozen=True, slots=True)
class Settings(ChatSettings):
    """`endpoint` is the endpoint's name; `region` and `profile` default to the AWS environment.

    `route` is "stream" (the response stream), "whole" for a container that can't stream, or "openai" (the endpoint's
    chat route, with a bearer token created here). `component` and `variant` select a part of the endpoint;
    `session_id` keeps requests on one instance. `model` is the name for the container, if it needs one. `url` replaces
    the address of the service.
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
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the endpoint; makes no request and looks for no credentials before the first request."""
    require_package("boto3", extra="sagemaker")
    options = read_settings(Settings, settings)
    if options.route not in ROUTES:
        raise NotConfigured(f"There is no route {options.route!r}.", f"Write one of: {', '.join(ROUTES)}.")
    if options.route == "openai" and (options.variant or options.session_id):
        raise NotConfigured("The chat route has no variant and no session.", 'Remove them, or set route = "stream".')
    return SageMakerBackend(options)


class SageMakerBackend:
    """Streams from one endpoint; the response is the OpenAI chat format, inside SageMaker's frames if it streams."""

    local = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._identity = Identity(settings.region, settings.profile, settings.url, settings.ca_path)
        self._parameters = settings.parameters
        self._token, self._token_made_at = "", 0.0
        self._errors = EndpointErrors(self._identity, settings.endpoint, settings.component)
        self._cached_endpoint: Endpoint | None = None

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it arrives; see `backends.types.Backend`."""
        prepare = self._chat_route_call if self._settings.route == "openai" else self._invocation
        return checked(stream_chat(partial(asyncio.to_thread, prepare, request)), request)

    async def check(self) -> Health:
        """Ask for the endpoint's state; without the permission to see it, request one token instead."""
        description = await asyncio.to_thread(self._describe)
        name = self._settings.model or self._settings.endpoint
        if description is None:
            async for _ in self.stream(one_token_request()):
                pass
            return Health(name, self._settings.context)
        state = str(description["EndpointStatus"])
        if state != "InService":
            raise self._errors.state(state, str(description.get("FailureReason", "")))
        variants = description.get("ProductionVariants") or []
        instances = sum(int(variant.get("CurrentInstanceCount") or 0) for variant in variants)
        detail = f"in service on {instances} instance{'' if instances == 1 else 's'}" if instances else "in service"
        return Health(name, self._settings.context, detail)

    async def aclose(self) -> None:
        """Do nothing: `backends.http.connections` pools the connections, which outlive a target."""

    # These methods run in a thread, because boto3 may have to fetch credentials.

    def _invocation(self, request: ChatRequest) -> ChatCall:
        """The signed call that invokes the endpoint."""
        options = self._settings
        streams = options.route == "stream"
        body = self._body(request, stream=streams)
        parameters = {
            "EndpointName": options.endpoint,
            "Body": to_json(body).encode("utf-8", "replace"),
            "ContentType": "application/json",
            "InferenceComponentName": options.component,
            "TargetVariant": options.variant,
            "SessionId": options.session_id,
        }
        operation = "InvokeEndpointWithResponseStream" if streams else "InvokeEndpoint"
        signed = self._identity.sign(
            operation, **{name: value for name, value in parameters.items() if value is not None}
        )
        call = self._call(self._endpoint(), signed.path, signed.body, signed.headers, self._errors.invocation)
        return replace(call, unwrap=unwrap_frames, type_header="x-amzn-sagemaker-content-type") if streams else call

    def _chat_route_call(self, request: ChatRequest) -> ChatCall:
        """The call of the endpoint's chat route. The path identifies the model, so its name may be empty."""
        options = self._settings
        if not self._token or now() - self._token_made_at > TOKEN_SECONDS / 4:
            self._token, self._token_made_at = self._identity.token(), now()
        body = self._body(request)
        component = f"/inference-components/{options.component}" if options.component else ""
        path = f"/endpoints/{options.endpoint}{component}/openai/v1/chat/completions"
        endpoint = replace(self._endpoint(), api_key=self._token)
        return self._call(endpoint, path, {"model": "", **body}, {}, self._chat_route_error)

    def _body(self, request: ChatRequest, *, stream: bool = True) -> dict[str, Any]:
        body = chat_body(request, model=self._settings.model, stream=stream)
        return self._parameters.adapt(body) | dict(self._settings.extra_body)

    def _call(
        self,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, Any] | bytes,
        headers: Mapping[str, str],
        make_error: ErrorFactory,
    ) -> ChatCall:
        reasoning, learn = self._settings.marks, self._parameters.learn
        return ChatCall(endpoint, path, body, headers, make_error, reasoning=reasoning, adapt=learn)

    def _chat_route_error(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes
    ) -> BackendError:
        if status in (401, 403):
            self._token = ""  # the next request creates a new token
        return self._errors.chat_route(endpoint, status, headers, content)

    def _endpoint(self) -> Endpoint:
        if self._cached_endpoint is None:
            name = f"The SageMaker endpoint {self._settings.endpoint}"
            options = self._settings
            self._cached_endpoint = Endpoint(
                self._identity.url, None, *options.timeouts, name=name, network=options.network
            )
        return self._cached_endpoint

    def _describe(self) -> dict[str, Any] | None:
        """SageMaker's description of the endpoint, or None if that is not allowed or not available."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return dict(self._identity.client("sagemaker").describe_endpoint(EndpointName=self._settings.endpoint))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                raise self._errors.not_found() from error
            return None
        except BotoCoreError:
            return None
