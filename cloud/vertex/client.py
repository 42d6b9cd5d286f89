"""Sends calls to Vertex AI through its SDK, waits for operations, and reads the existing resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from backends.settings import require_package
from cloud.calls import ApiCall, ReportLine
from cloud.vertex.calls import ENDPOINTS, MODELS
from cloud.vertex.errors import Refused, failed_operation, invalid_request, translate_errors
from cloud.vertex.settings import VertexSettings
from cloud.wait import wait_for

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")
RETRY_POLLS = 6  # polls during which a failed read is repeated: a deployment can take an hour


class VertexClient:
    """One project and location; clients and credentials are created at the first call."""

    def __init__(self, settings: VertexSettings) -> None:
        require_package("google.cloud.aiplatform_v1", extra="vertex")
        self.settings = settings
        self._clients: dict[str, Any] = {}

    def send(self, call: ApiCall) -> Any:
        """Send the call; return its operation, or None if the call has no operation."""
        from google.cloud import aiplatform_v1
        from google.protobuf.json_format import ParseError

        try:
            request = getattr(aiplatform_v1, f"{call.operation}Request").from_json(json.dumps(call.payload))
        except ParseError as error:
            raise invalid_request(call.operation, error, self.settings.env) from error
        with translate_errors(call.operation, self.settings.env):
            method = getattr(self._client(call.service), _WORD_START.sub("_", call.operation).lower())
            response = method(request, retry=None, timeout=self.settings.call_seconds)
        return getattr(response, "operation", None)

    def wait(self, operation: Any, report: ReportLine, subject: str) -> None:
        """Wait until the operation ends; `CloudError` if it fails."""
        latest, polls = operation, 0

        def state() -> str | None:
            nonlocal latest, polls
            if polls:
                latest = self._operation(latest.name, subject)
            polls += 1
            if latest.done:
                return None
            minutes = int(polls * self.settings.poll_seconds // 60)
            return f"running for {minutes} min" if minutes else "running"

        wait_for(state, report, subject=subject, seconds=self.settings.wait_seconds, poll=self.settings.poll_seconds)
        if latest.HasField("error"):
            raise failed_operation(subject, latest.error, self.settings.env)

    def run(self, call: ApiCall, report: ReportLine) -> None:
        """Send the call and wait until its operation ends."""
        report(f"  {call.purpose} …")
        if operation := self.send(call):
            self.wait(operation, report, call.operation)

    def wait_for_earlier(self, resource: str, report: ReportLine) -> None:
        """Wait for the operations of an earlier command; the resources then show their results."""
        for operation in self.running(resource):
            try:
                self.wait(operation, report, "An earlier operation")
            except Refused as error:
                report(f"    {error.message}")

    def running(self, resource: str) -> list[Any]:
        """Return the unfinished operations on a resource; none if the account isn't allowed to list them."""
        from google.longrunning import operations_pb2

        client = self._client(MODELS)
        request = operations_pb2.ListOperationsRequest(name=resource)
        try:
            response = self._read(lambda options: client.list_operations(request, **options), "ListOperations")
        except Refused as error:
            if error.status in (403, 404):
                return []
            raise
        return [operation for operation in response.operations if not operation.done]

    def endpoint(self) -> Any:
        """Return the endpoint with its deployed models, or None."""
        client, name = self._client(ENDPOINTS), self.settings.endpoint
        return self._find(lambda options: client.get_endpoint(name=name, **options), "GetEndpoint")

    def versions(self) -> list[Any]:
        """Return the versions of the model, oldest first."""
        client = self._client(MODELS)

        def read(options: dict[str, Any]) -> list[Any]:
            return list(client.list_model_versions(name=self.settings.model, **options))

        versions = self._find(read, "ListModelVersions") or []
        return sorted(versions, key=lambda version: int(version.version_id))

    def _operation(self, name: str, subject: str) -> Any:
        from google.longrunning import operations_pb2

        client = self._client(MODELS)
        request = operations_pb2.GetOperationRequest(name=name)
        return self._read(lambda options: client.get_operation(request, **options), f"GetOperation of {subject}")

    def _find(self, request: Callable[[dict[str, Any]], Any], subject: str) -> Any:
        try:
            return self._read(request, subject)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def _read(self, request: Callable[[dict[str, Any]], Any], subject: str) -> Any:
        """Send a request that changes nothing, and repeat it for a while if the service fails."""
        from google.api_core import exceptions as api
        from google.api_core.retry import Retry, if_exception_type

        poll = self.settings.poll_seconds
        is_temporary = if_exception_type(api.TooManyRequests, api.ServerError)
        retry = Retry(is_temporary, initial=poll / 2, maximum=poll * 2, timeout=poll * RETRY_POLLS)
        with translate_errors(subject, self.settings.env):
            return request({"retry": retry, "timeout": self.settings.call_seconds})

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            with translate_errors(service, self.settings.env):
                self._clients[service] = self._create_client(service)
        return self._clients[service]

    def _create_client(self, service: str) -> Any:
        from google.api_core.client_options import ClientOptions
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import aiplatform_v1

        settings = self.settings
        is_plain = (settings.api_endpoint or "").startswith("http://")
        address = settings.api_endpoint or f"{settings.location}-aiplatform.googleapis.com"
        # gRPC finds operations under their documented name; REST tries /ui/ first.
        transport = "rest" if is_plain else settings.transport
        if transport == "grpc":
            address = address.removeprefix("https://")
        return getattr(aiplatform_v1, f"{service}Client")(
            credentials=AnonymousCredentials() if is_plain else None,
            transport=transport,
            client_options=ClientOptions(api_endpoint=address),
        )


def deployed_models(endpoint: Any) -> list[tuple[Any, int]]:
    """Return the deployed models with their percentage of the traffic, the highest first."""
    models = (
        [(model, endpoint.traffic_split.get(model.id, 0)) for model in endpoint.deployed_models] if endpoint else []
    )
    return sorted(models, key=lambda pair: -pair[1])


def deployed_versions(endpoint: Any) -> Iterator[str]:
    """Yield the versions of the deployed models."""
    for model, _ in deployed_models(endpoint):
        yield model.model_version_id
