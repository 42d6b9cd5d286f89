"""A fake Vertex AI on a real socket: REST routes, long-running operations, state, and faults.

Each body is parsed into Google's own request message, which rejects unknown fields.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google.protobuf.json_format import ParseError

from tests.cloud.vertex_state import Refusal, State

_RESOURCE = r"(projects/[^/]+/locations/[^/]+(?:/(?:models|endpoints)/[^/:]+)?)"
ROUTES = [
    (method, re.compile(pattern), operation)
    for method, pattern, operation in (
        ("GET", rf"/(?:ui|v1)/{_RESOURCE}/operations/\d+", "GetOperation"),
        ("GET", rf"/(?:ui|v1)/{_RESOURCE}/operations", "ListOperations"),
        ("POST", rf"/v1/{_RESOURCE}/models:upload", "UploadModel"),
        ("GET", rf"/v1/{_RESOURCE}:listVersions", "ListModelVersions"),
        ("POST", rf"/v1/{_RESOURCE}:mergeVersionAliases", "MergeVersionAliases"),
        ("POST", rf"/v1/{_RESOURCE}:deployModel", "DeployModel"),
        ("POST", rf"/v1/{_RESOURCE}:undeployModel", "UndeployModel"),
        ("POST", rf"/v1/{_RESOURCE}:mutateDeployedModel", "MutateDeployedModel"),
        ("POST", rf"/v1/{_RESOURCE}:streamRawPredict", "StreamRawPredict"),
        ("POST", rf"/v1/{_RESOURCE}/endpoints", "CreateEndpoint"),
        ("PATCH", rf"/v1/{_RESOURCE}", "UpdateEndpoint"),
        ("GET", rf"/v1/{_RESOURCE}", "GetEndpoint"),
        ("DELETE", r"/v1/(projects/[^/]+/locations/[^/]+/models/[^/:]+)", "DeleteModel"),
        ("DELETE", rf"/v1/{_RESOURCE}", "DeleteEndpoint"),
        ("POST", r"/(token)", "Token"),
    )
]
# The field of a request that its path sets, and the field that its body is.
PATH = {"UploadModel": "parent", "CreateEndpoint": "parent", "MergeVersionAliases": "name", "UpdateEndpoint": ""}
BODY = {"CreateEndpoint": "endpoint", "UpdateEndpoint": "endpoint"}
NAMES = {400: "FAILED_PRECONDITION", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}
NAMES |= {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}


@dataclass
class Fault:
    """Makes the next `times` calls of an operation fail, `after` successful ones; `late`: after they take effect."""

    status: int
    message: str
    times: int
    after: int
    late: bool


class VertexApi(ThreadingHTTPServer):
    """`state` has the resources, `requests` the requests in order; `fail` and `state.fail_operation` cause faults."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = State()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, Fault] = {}
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fail(
        self, operation: str, status: int, message: str = "no", *, times: int = 1, after: int = 0, late: bool = False
    ) -> None:
        self.faults[operation] = Fault(status, message, times, after, late)

    def operations(self, *names: str) -> list[dict[str, Any]]:
        """Return the requests of these operations."""
        return [payload for operation, payload in self.requests if operation in names]

    def answer(self, operation: str, resource: str, payload: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.requests.append((operation, payload))
            fault = self.faults.get(operation)
            if fault and fault.after:
                fault.after -= 1
            elif fault and fault.times:
                fault.times -= 1
                if fault.late:
                    self.state.answer(operation, resource, payload)
                raise Refusal(fault.status, fault.message)
            return self.state.answer(operation, resource, payload)


class Handler(BaseHTTPRequestHandler):
    server: VertexApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: otherwise the second waits 40 ms for an acknowledgement

    def handle_call(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(parts.path)
        matches = ((name, route.fullmatch(path)) for method, route, name in ROUTES if method == self.command)
        operation, match = next(((name, match) for name, match in matches if match), ("", None))
        if match is None:
            return self.reply(404, {"error": {"code": 404, "message": f"no route {self.command} {path}"}})
        try:
            if operation in ("Token", "StreamRawPredict"):
                return self.reply_to_client(operation, match[1])
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            payload = request(operation, match[1], json.loads(content or b"{}"), query)
            resource = path.split("/", 2)[2] if operation == "GetOperation" else match[1]
            return self.reply(200, self.server.answer(operation, resource, payload))
        except Refusal as error:
            status = {"code": error.status, "message": error.message, "status": NAMES.get(error.status, "UNKNOWN")}
            return self.reply(error.status, {"error": status})

    def do_GET(self) -> None:
        self.handle_call()

    def do_POST(self) -> None:
        self.handle_call()

    def do_PATCH(self) -> None:
        self.handle_call()

    def do_DELETE(self) -> None:
        self.handle_call()

    def reply_to_client(self, operation: str, resource: str) -> None:
        """Send a token, or a chat that names the version."""
        if operation == "Token":
            return self.reply(200, {"access_token": "ya29.test", "expires_in": 3600, "token_type": "Bearer"})
        delta = {"choices": [{"delta": {"content": f"Version {self.server.state.serving(resource)}."}}]}
        end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
        lines = [f"data: {json.dumps(each)}\n\n" for each in (delta, end)]
        return self.send("text/event-stream", 200, "".join([*lines, "data: [DONE]\n\n"]).encode())

    def reply(self, status: int, body: dict[str, Any]) -> None:
        self.send("application/json", status, json.dumps(body).encode())

    def send(self, kind: str, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def parse_request(operation: str, payload: Any) -> Any:
    """Parse a payload as Google's request, which rejects unknown fields."""
    from google.cloud import aiplatform_v1  # a second and a half in each test process that collects these modules

    return getattr(aiplatform_v1, f"{operation}Request").from_json(json.dumps(payload))


def request(operation: str, resource: str, body: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    """Return the request that path, query and body make up; `Refusal` if Google's message doesn't accept it."""
    payload = {BODY[operation]: body} if operation in BODY else dict(body)
    payload |= {name: value for name, value in query.items() if not name.startswith("$")}
    if operation in ("GetOperation", "ListOperations"):
        return {"name": resource} | payload
    default = "endpoint" if operation in ("DeployModel", "UndeployModel", "MutateDeployedModel") else "name"
    if field := PATH.get(operation, default):
        payload |= {field: resource}
    else:
        payload["endpoint"]["name"] = resource
    kind = "GetModel" if operation == "GetEndpoint" and "/models/" in resource else operation
    try:
        parse_request(kind, payload)
    except ParseError as error:
        raise Refusal(400, str(error)) from error
    return payload
