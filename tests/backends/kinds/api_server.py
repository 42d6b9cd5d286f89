"""A Kubernetes API server on loopback: one Service, its pods, the proxy to them and port forwarding.

Like a real one, it uses TLS with its own certificate and requires a bearer token. A pod is the address of a real HTTP
server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.helpers import servers
from tests.helpers.certificates import certificate

NAMESPACE, SERVICE, PORT = "spaceport", "inference", 8080
IDENTITY = "sha256~of-a-test"


@dataclass
class ApiServer:
    """The cluster: `pods` maps names to URLs; pods in `unready` get no requests, resources in `denied` return 403."""

    folder: Path
    url: str = ""
    pods: dict[str, str] = field(default_factory=dict)
    unready: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    ports: dict[str, int] = field(default_factory=lambda: {"http": PORT})
    calls: list[str] = field(default_factory=list)
    forwards: list[WebSocket] = field(default_factory=list)
    proxied: int = 0

    @property
    def ready(self) -> list[str]:
        return [name for name in self.pods if name not in self.unready]

    def kubeconfig(self, *, identity: str = IDENTITY) -> Path:
        """A kubeconfig like that of the tool `kind`, with a token."""
        cluster = {"server": self.url, "certificate-authority": str(self.folder / "server.pem")}
        context = {"cluster": "kind", "user": "developer", "namespace": NAMESPACE}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "kind-test",
            "clusters": [{"name": "kind", "cluster": cluster}],
            "users": [{"name": "developer", "user": {"token": identity}}],
            "contexts": [{"name": "kind-test", "context": context}],
        }
        path = self.folder / f"kubeconfig-{len(identity)}"
        path.write_text(json.dumps(config))  # JSON is YAML
        return path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[ApiServer]:
    """Run the API server until the block ends."""
    api = ApiServer(folder)
    files = certificate(folder, "server")
    with servers.serving_app(
        _app(api), ssl_certfile=str(files[0]), ssl_keyfile=str(files[1]), ws="websockets-sansio"
    ) as port:
        api.url = f"https://127.0.0.1:{port}"
        yield api


def status(code: int, reason: str, message: str) -> Response:
    """An error response of the API server."""
    fields = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return JSONResponse(fields | {"code": code}, code)


def _app(api: ApiServer) -> Starlette:
    core, discovery = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}"

    def guarded(verb: str, resource: str, answer: Any) -> Any:
        async def handle(request: Request) -> Response:
            api.calls.append(f"{verb} {resource}")
            if request.headers.get("authorization") != f"Bearer {IDENTITY}":
                return status(401, "Unauthorized", "Unauthorized")
            if resource in api.denied:
                return _forbidden(verb, resource)
            return await answer(request)  # type: ignore[no-any-return]

        return handle

    async def service(request: Request) -> Response:
        if (name := request.path_params["name"]) != SERVICE:
            return status(404, "NotFound", f'services "{name}" not found')
        ports = [{"name": name, "port": number, "protocol": "TCP"} for name, number in api.ports.items()]
        return JSONResponse(
            {"kind": "Service", "apiVersion": "v1", "metadata": {"name": SERVICE}, "spec": {"ports": ports}}
        )

    async def slices(request: Request) -> Response:
        items = [_slice(api)] if request.query_params["labelSelector"].endswith(f"={SERVICE}") else []
        return JSONResponse({"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1", "items": items})

    async def proxy(request: Request) -> Response:
        return await _proxied(api, request)

    return Starlette(
        routes=[
            Route(f"{core}/services/{{name}}", guarded("get", "services", service)),
            Route(f"{discovery}/endpointslices", guarded("list", "endpointslices", slices)),
            Route(
                f"{core}/services/{{name}}/proxy/{{path:path}}",
                guarded("create", "services/proxy", proxy),
                methods=["GET", "POST"],
            ),
            WebSocketRoute(f"{core}/pods/{{pod}}/portforward", _forwarding(api)),
        ]
    )


def _forbidden(verb: str, resource: str) -> Response:
    group = "discovery.k8s.io" if resource == "endpointslices" else ""
    reason = (
        f'User "developer" cannot {verb} resource "{resource}" in API group "{group}" in the namespace "{NAMESPACE}"'
    )
    return status(403, "Forbidden", f"{resource} is forbidden: {reason}")


def _slice(api: ApiServer) -> dict[str, Any]:
    endpoints = [
        {
            "addresses": [f"10.0.0.{number}"],
            "conditions": {"ready": name not in api.unready},
            "targetRef": {"kind": "Pod", "name": name},
        }
        for number, name in enumerate(api.pods)
    ]
    ports = [{"name": name, "port": number, "protocol": "TCP"} for name, number in api.ports.items()]
    return {"addressType": "IPv4", "metadata": {"name": f"{SERVICE}-1"}, "endpoints": endpoints, "ports": ports}


async def _proxied(api: ApiServer, request: Request) -> Response:
    """Forward the request without its credentials, to each ready pod in turn, as the real proxy does."""
    name = request.path_params["name"].split(":")
    if name[1:2] != [SERVICE]:
        return status(404, "NotFound", f'services "{name[1]}" not found')
    if not api.ready:
        return status(503, "ServiceUnavailable", f'no endpoints available for service "http:{SERVICE}:{name[2]}"')
    pod = api.pods[api.ready[api.proxied % len(api.ready)]]
    api.proxied += 1
    client = servers.client()
    headers = {"content-type": request.headers.get("content-type", "application/json")}
    upstream = client.build_request(
        request.method, f"{pod}/{request.path_params['path']}", content=await request.body(), headers=headers
    )
    try:
        response = await client.send(upstream, stream=True)
    except httpx2.TransportError as error:
        await client.aclose()
        return status(503, "ServiceUnavailable", f"error trying to reach service: {error}")

    async def body() -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        finally:
            await response.aclose()
            await client.aclose()

    return StreamingResponse(body(), response.status_code, media_type=response.headers.get("content-type"))


def _forwarding(api: ApiServer) -> Any:
    async def forward(socket: WebSocket) -> None:
        """Two channels per port, which start with the port number; the first byte of a message is the channel."""
        api.calls.append("get pods/portforward")
        if "pods/portforward" in api.denied:
            await socket.send_denial_response(_forbidden("get", "pods/portforward"))
            return
        api.forwards.append(socket)
        await socket.accept(subprotocol="v4.channel.k8s.io")
        port = int(socket.query_params["ports"])
        for channel in (0, 1):
            await socket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
        address = urlsplit(api.pods[socket.path_params["pod"]])
        try:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError as error:
            await socket.send_bytes(b"\x01" + f"an error occurred forwarding {port}: {error}".encode())
            await socket.close()
            return
        down = asyncio.create_task(_down(socket, reader))
        try:
            while True:
                data = await socket.receive_bytes()
                writer.write(data[1:])
                await writer.drain()
        except (WebSocketDisconnect, RuntimeError, ConnectionError):
            pass
        finally:
            down.cancel()
            writer.transport.abort()

    return forward


async def _down(socket: WebSocket, reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            await socket.send_bytes(b"\x00" + data)
    with contextlib.suppress(RuntimeError):
        await socket.close()
