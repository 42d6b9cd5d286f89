"""What stands before a container on SageMaker and on Vertex AI: their public wire, over TLS, forwarded to it.

Only what a client sees is here: the routes, AWS's event stream, the resource of an endpoint. The container is real.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from tests import local_server
from tests.backends.event_stream import framed

PROJECT, REGION, ENDPOINT = "spaceport-test", "us-central1", "4711"
RESOURCE = f"projects/{PROJECT}/locations/{REGION}/endpoints/{ENDPOINT}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where it listens, and the certificate to trust for it."""

    url: str
    certificate: Path

    @property
    def host(self) -> str:
        return self.url.removeprefix("https://")


@contextlib.contextmanager
def serving(container: str, folder: Path) -> Iterator[Gateway]:
    """Forward to `container` (its URL) until the block ends."""
    certificate, key = _certificate(folder)
    told: dict[str, str] = {}
    tls = {"ssl_certfile": certificate, "ssl_keyfile": key, "ssl_version": ssl.PROTOCOL_TLS_SERVER}
    with local_server.serving(_app(container, told), **tls) as port:
        told["host"] = f"localhost:{port}"
        yield Gateway(f"https://localhost:{port}", certificate)


def _app(container: str, told: dict[str, str]) -> FastAPI:
    app = FastAPI()

    async def forward(request: Request, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=container, timeout=120) as client:
            headers = {"content-type": request.headers.get("content-type", "application/json")}
            return await client.post(path, content=await request.body(), headers=headers)

    @app.post("/endpoints/{name}/invocations")
    async def invoke(name: str, request: Request) -> Response:
        said = await forward(request, "/invocations")
        return Response(said.content, said.status_code, media_type=said.headers["content-type"])

    @app.post("/endpoints/{name}/invocations-response-stream")
    async def invoke_stream(name: str, request: Request) -> Response:
        body = await request.body()
        frames = framed(local_server.streamed(f"{container}/invocations", body))
        return StreamingResponse(frames, media_type="application/vnd.amazon.eventstream")

    @app.get(f"/v1/{RESOURCE}")
    async def resource() -> dict[str, Any]:
        dedicated = {"dedicatedEndpointEnabled": True, "dedicatedEndpointDns": told["host"]}
        return {"name": RESOURCE, "displayName": "chat", "createTime": "2026-01-01T00:00:00Z", **dedicated}

    @app.post(f"/v1/{RESOURCE}:{{method}}")
    async def vertex(method: str, request: Request) -> Response:
        if method == "streamRawPredict":
            chunks = local_server.streamed(f"{container}/predict", await request.body())
            return StreamingResponse(chunks, media_type="text/event-stream")
        said = await forward(request, "/predict")
        if method == "predict" and said.status_code == 200:
            return Response(json.dumps(said.json() | {"deployedModelId": "1"}), media_type="application/json")
        return Response(said.content, said.status_code, media_type=said.headers["content-type"])

    return app


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    built = built.add_extension(names, critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    signed = built.sign(key, hashes.SHA256())
    files = folder / "gateway.pem", folder / "gateway.key"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files
