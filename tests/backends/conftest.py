from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backends.http.connections import close_connections
from tests.backends.targets import AWS_KEY, AWS_SECRET, VERTEX_DESCRIPTION, VERTEX_RESOURCE, give_google_token
from tests.backends.wire_server import Reply, WireServer, serving


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    """A wire server; the connections to it close before it does."""
    async with serving() as wire:
        yield wire
        await close_connections()


@pytest.fixture
def aws_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS credentials in the environment; those of the machine are not used."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    variables = {"ACCESS_KEY_ID": AWS_KEY, "SECRET_ACCESS_KEY": AWS_SECRET, "EC2_METADATA_DISABLED": "true"}
    variables |= {"CONFIG_FILE": str(tmp_path / "none"), "SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    for name, value in variables.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


@pytest.fixture
def google_account(server: WireServer, private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Google service account whose tokens come from the wire server, and a Vertex AI endpoint there."""
    account = {"type": "service_account", "client_email": "a@demo.test", "private_key": private_key}
    account |= {"project_id": "demo", "token_uri": f"{server.url}/token", "private_key_id": "1", "client_id": "1"}
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    give_google_token(server)
    server.on(VERTEX_RESOURCE, Reply.json(VERTEX_DESCRIPTION))
