"""Sends calls to Vertex AI through its SDK, and looks at what is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from backends.settings import require
from cloud.calls import Call, Say
from cloud.command import wait_for
from cloud.vertex.calls import MODELS
from cloud.vertex.errors import Refused, failed, translated, unknown
from cloud.vertex.settings import VertexSettings

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
PATIENCE = 6  # polls that a look may fail in a row, as looks do in the hour that a deployment can take


class Vertex:
    """One project and location; clients are made, and credentials are looked for, at the first call."""

    def __init__(self, settings: VertexSettings) -> None:
        require("google.cloud.aiplatform_v1", extra="vertex")
        self.settings = settings
        self._clients: dict[str, Any] = {}

    def send(self, call: Call) -> Any:
        """Make the call: an operation that runs on, or None where it is done at once."""
        from google.cloud import aiplatform_v1
        from google.protobuf.json_format import ParseError

        try:
            request = getattr(aiplatform_v1, f"{call.operation}Request").from_json(json.dumps(call.payload))
        except ParseError as error:
            raise unknown(call.operation, error, self.settings.env) from error
        with translated(call.operation, self.settings.env):
            method = getattr(self._client(call.service), _WORD.sub("_", call.operation).lower())
            answer = method(request, retry=None, timeout=self.settings.call_seconds)
        return getattr(answer, "operation", None)

    def finish(self, operation: Any, say: Say, what: str) -> None:
        """Wait until the operation has ended; `CloudError` if it ended badly."""
        latest, polls = operation, 0

        def state() -> str | None:
            nonlocal latest, polls
            if polls:
                latest = self._operation(latest.name, what)
            polls += 1
            if latest.done:
                return None
            minutes = int(polls * self.settings.poll_seconds // 60)
            return f"running for {minutes} min" if minutes else "running"

        wait_for(state, say, what=what, seconds=self.settings.wait_seconds, poll=self.settings.poll_seconds)
        if latest.HasField("error"):
            raise failed(what, latest.error, self.settings.env)

    def do(self, call: Call, say: Say) -> None:
        """Make the call and wait until it is done."""
        say(f"  {call.why} …")
        if operation := self.send(call):
            self.finish(operation, say, call.operation)

    def settle(self, resource: str, say: Say) -> None:
        """Wait for what an earlier command began; how it ended is seen from what is there then."""
        for operation in self.running(resource):
            try:
                self.finish(operation, say, "What was begun before")
            except Refused as error:
                say(f"    {error.message}")

    def running(self, resource: str) -> list[Any]:
        """Operations on the resource that have not ended; none where they may not be looked at."""
        from google.longrunning import operations_pb2

        client = self._client(MODELS)
        request = operations_pb2.ListOperationsRequest(name=resource)
        try:
            found = self._look(lambda options: client.list_operations(request, **options), "ListOperations")
        except Refused as error:
            if error.status in (403, 404):
                return []
            raise
        return [operation for operation in found.operations if not operation.done]

    def endpoint(self) -> Any:
        """The endpoint with what is deployed on it, or None."""
        client = self._client("EndpointService")
        return self._there(lambda options: client.get_endpoint(name=self.settings.endpoint, **options), "GetEndpoint")

    def versions(self) -> list[Any]:
        """The versions of the model, the oldest first."""
        client = self._client(MODELS)

        def listed(options: dict[str, Any]) -> list[Any]:
            return list(client.list_model_versions(name=self.settings.model, **options))

        found = self._there(listed, "ListModelVersions") or []
        return sorted(found, key=lambda version: int(version.version_id))

    def _operation(self, name: str, what: str) -> Any:
        from google.longrunning import operations_pb2

        client = self._client(MODELS)
        request = operations_pb2.GetOperationRequest(name=name)
        return self._look(lambda options: client.get_operation(request, **options), f"GetOperation of {what}")

    def _there(self, ask: Callable[[dict[str, Any]], Any], what: str) -> Any:
        try:
            return self._look(ask, what)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def _look(self, ask: Callable[[dict[str, Any]], Any], what: str) -> Any:
        """Ask again for a while if the service stumbles: looking changes nothing."""
        from google.api_core import exceptions as api
        from google.api_core.retry import Retry, if_exception_type

        poll = self.settings.poll_seconds
        stumbles = if_exception_type(api.TooManyRequests, api.ServerError)
        retry = Retry(stumbles, initial=poll / 2, maximum=poll * 2, timeout=poll * PATIENCE)
        with translated(what, self.settings.env):
            return ask({"retry": retry, "timeout": self.settings.call_seconds})

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            with translated(service, self.settings.env):
                self._clients[service] = self._made(service)
        return self._clients[service]

    def _made(self, service: str) -> Any:
        from google.api_core.client_options import ClientOptions
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import aiplatform_v1

        chosen = self.settings
        plain = (chosen.api_endpoint or "").startswith("http://")
        address = chosen.api_endpoint or f"{chosen.location}-aiplatform.googleapis.com"
        # gRPC reaches operations under the name that is documented; REST asks for them under /ui/ first.
        transport = "rest" if plain else chosen.transport
        if transport == "grpc":
            address = address.removeprefix("https://")
        return getattr(aiplatform_v1, f"{service}Client")(
            credentials=AnonymousCredentials() if plain else None,
            transport=transport,
            client_options=ClientOptions(api_endpoint=address),
        )


def deployed(endpoint: Any) -> list[tuple[Any, int]]:
    """What is deployed, with its percent of the traffic; the most used first."""
    found = [(each, endpoint.traffic_split.get(each.id, 0)) for each in endpoint.deployed_models] if endpoint else []
    return sorted(found, key=lambda pair: -pair[1])


def versions_of(endpoint: Any) -> Iterator[str]:
    """The versions that are deployed."""
    for each, _ in deployed(endpoint):
        yield each.model_version_id
