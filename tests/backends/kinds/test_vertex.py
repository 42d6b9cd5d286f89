"""Vertex AI's wire: the routes of an endpoint, tokens from a real OAuth exchange, refusals as Google words them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backends import BackendError, Catalog, Delta, Done, Interrupted, NotConfigured, Overloaded, Rejected, Unreachable
from backends.vertex import gcp
from tests.backends.recorded import ESCAPED, OPENAI, REQUEST, Recording, part, sse
from tests.backends.test_contract import assert_kept, assert_left, collect
from tests.backends.wire_server import Reply, WireServer, cuts

RESOURCE = "/v1/projects/demo/locations/europe-west4/endpoints/4711"
STREAM, WHOLE, PREDICT = (f"{RESOURCE}:{method}" for method in ("streamRawPredict", "rawPredict", "predict"))
TOKEN = "ya29.a-token"
SHARED = {"name": RESOURCE, "displayName": "chat", "deployedModels": [{"id": "1", "displayName": "tiny"}]}


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


@pytest.fixture(autouse=True)
def account(server: WireServer, private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account whose tokens this test's server gives out."""
    told = {"type": "service_account", "client_email": "a@demo.test", "private_key": private_key, "project_id": "demo"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(told | {"token_uri": f"{server.url}/token", "private_key_id": "1", "client_id": "1"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    give_token(server)
    server.on(RESOURCE, Reply.json(SHARED))


def give_token(server: WireServer, token: str = TOKEN, seconds: float = 3600) -> None:
    server.on("/token", Reply.json({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}))


def connected(server: WireServer, **more: Any) -> Any:
    entry = {"kind": "vertex", "endpoint": "4711", "location": "europe-west4", "url": server.url, "read_timeout": 5}
    return Catalog({"vertex": entry | more}, source="test").connect("vertex")


def refused(status: int, state: str, message: str, *, listed: bool = False) -> Reply:
    error = {"error": {"code": status, "message": message, "status": state}}
    return Reply.json([error] if listed else error, status)


@pytest.mark.parametrize("recording", [OPENAI, ESCAPED], ids=["openai", "escaped"])
async def test_the_stream_cut_at_each_byte(recording: Recording, server: WireServer) -> None:
    backend = connected(server)
    for parts in cuts(recording.wire):
        server.on(STREAM, Reply(parts))
        assert_kept(await collect(backend), recording)
    assert len(server.requests(RESOURCE)) == len(server.requests("/token")) == 1


async def test_what_is_asked(server: WireServer) -> None:
    server.on(STREAM, Reply([OPENAI.wire]))
    await collect(connected(server, model="tiny"))
    asked = server.requests(STREAM)[0]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.json["model"] == "tiny"
    assert asked.json["stream"] is True


async def test_a_dedicated_endpoint_is_called_at_its_own_address(server: WireServer) -> None:
    # Its name needs TLS, which a gateway in the tests of the container has: here it is only not answered.
    dedicated = {"dedicatedEndpointEnabled": True, "dedicatedEndpointDns": "4711.europe-west4-1.localhost:1"}
    server.on(RESOURCE, Reply.json(SHARED | dedicated))
    with pytest.raises(Unreachable, match=r"https://4711\.europe-west4-1\.localhost:1"):
        await collect(connected(server))
    server.on(RESOURCE, Reply.json(SHARED))
    with pytest.raises(Unreachable, match=r"https://own\.localhost:1"):
        await collect(connected(server, dns="own.localhost:1"))
    assert server.requests(STREAM) == []


async def test_who_may_not_look_at_the_endpoint_calls_it_as_a_shared_one(server: WireServer) -> None:
    server.on(RESOURCE, refused(403, "PERMISSION_DENIED", "aiplatform.endpoints.get"))
    server.on(STREAM, Reply([OPENAI.wire]))
    backend = connected(server)
    assert_kept(await collect(backend), OPENAI)
    assert "not allowed to see" in (await backend.check()).detail


@pytest.mark.parametrize("name", ["4711", "projects/demo/locations/europe-west4/endpoints/4711"])
async def test_whole_answers(name: str, server: WireServer) -> None:
    whole = {"choices": [{"message": {"content": "<think>hm</think>Hello"}, "finish_reason": "stop"}]}
    server.on(WHOLE, Reply.json(whole))
    found = await collect(connected(server, route="whole", endpoint=name))
    assert found == [Delta("hm", "thought"), Delta("Hello"), Done("stop", None)]
    assert server.requests(WHOLE)[0].json["stream"] is False


async def test_instances(server: WireServer) -> None:
    whole = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "length"}]}
    server.on(PREDICT, Reply.json({"predictions": [whole], "deployedModelId": "1"}))
    assert await collect(connected(server, route="instances")) == [Delta("Hello"), Done("length", None)]
    asked = server.requests(PREDICT)[0].json["instances"]
    assert [each["role"] for each in asked[0]["messages"]] == ["system", "user"]
    server.on(PREDICT, Reply.json({"predictions": ["Hello"]}))
    assert await collect(connected(server, route="instances")) == [Delta("Hello"), Done(None, None)]
    for strange in ({"predictions": []}, {"x": 1}, []):
        server.on(PREDICT, Reply.json(strange))
        with pytest.raises(Unreachable, match="not as a model API"):
            await collect(connected(server, route="instances"))


async def test_a_token_is_renewed_ahead_of_time(server: WireServer) -> None:
    give_token(server, "first", gcp.RENEW_SECONDS - 60)  # still good, but not for long
    server.on(STREAM, Reply([OPENAI.wire]))
    backend = connected(server, dns=None)
    await collect(backend)
    give_token(server, "second")
    for _ in range(3):  # the first one may be on its way already, and bring what the server gave before
        await collect(backend)
        await backend._tokens._renewal
    await collect(backend)
    used = [asked.headers["authorization"] for asked in server.requests(STREAM)]
    assert used[0] == "Bearer first"
    assert used[-1] == "Bearer second"


async def test_a_token_that_is_refused_is_made_anew(server: WireServer) -> None:
    server.on(STREAM, refused(401, "UNAUTHENTICATED", "invalid token"), Reply([OPENAI.wire]))
    backend = connected(server)
    with pytest.raises(NotConfigured, match="gcloud auth"):
        await collect(backend)
    assert_kept(await collect(backend), OPENAI)
    assert len(server.requests("/token")) == 2


async def test_a_renewal_that_fails_is_told_and_tried_again(server: WireServer, private_key: str) -> None:
    server.on("/token", Reply.json({"error": "invalid_grant", "error_description": "account is disabled"}, 400))
    server.on(STREAM, Reply([OPENAI.wire]))
    backend = connected(server)
    with pytest.raises(NotConfigured, match="gave no token") as caught:
        await collect(backend)
    assert "PRIVATE" not in str(caught.value)
    give_token(server)
    assert_kept(await collect(backend), OPENAI)


async def test_without_credentials_or_project_the_remedy_is_said(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
        await collect(connected(server))
    account = json.loads((tmp_path / "account.json").read_text())
    (tmp_path / "none.json").write_text(json.dumps({name: account[name] for name in account if name != "project_id"}))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # gcloud would be asked for a project
    with pytest.raises(NotConfigured, match="No Google Cloud project"):
        await collect(connected(server))


BEFORE: list[tuple[Reply, type[BackendError], str]] = [
    (refused(403, "PERMISSION_DENIED", "no"), Rejected, "roles/aiplatform.user"),
    (refused(404, "NOT_FOUND", "Endpoint not found"), Rejected, "location"),
    (refused(429, "RESOURCE_EXHAUSTED", "quota"), Overloaded, "quota"),
    (refused(400, "FAILED_PRECONDITION", "no model", listed=True), Overloaded, "try again in a minute"),
    (refused(503, "UNAVAILABLE", "later"), Overloaded, "later"),
    (refused(500, "INTERNAL", "oops"), Rejected, "oops"),
    (Reply.json({"error": {"message": "5,000 tokens, the context 4,096"}}, 400), Rejected, "Send less"),
    (Reply([b"<html><title>502 Bad Gateway</title></html>"], 502, "text/html"), Rejected, "502"),
    (Reply(end="drop"), Unreachable, ""),
    (Reply([b""]), Unreachable, "closed the stream"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), BEFORE, ids=lambda value: getattr(value, "__name__", None))
async def test_refusals_before_the_first_token(
    reply: Reply, kind: type[BackendError], words: str, server: WireServer
) -> None:
    server.on(STREAM, reply)
    with pytest.raises(kind) as caught:
        await collect(connected(server))
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert caught.value.remedy
    assert TOKEN not in str(caught.value)


async def test_a_stream_that_breaks_keeps_what_there_was(server: WireServer) -> None:
    server.on(STREAM, Reply([sse(part(content="Hello"))], end="drop"))
    found = []
    with pytest.raises(Interrupted):
        async for event in connected(server).stream(REQUEST):
            found.append(event)
    assert found == [Delta("Hello")]


@pytest.mark.parametrize("by", ["closing", "cancelling"])
async def test_a_reader_that_leaves_frees_the_connection(by: str, server: WireServer) -> None:
    server.on(STREAM, Reply([sse(part(content="word "))], end="repeat"))
    await assert_left(connected(server), server, by=by)


async def test_check_tells_what_is_deployed(server: WireServer) -> None:
    health = await connected(server, context=4096).check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "shared endpoint, tiny")
    server.on(RESOURCE, Reply.json(SHARED | {"deployedModels": []}))
    with pytest.raises(Overloaded, match="Nothing is deployed"):
        await connected(server).check()
    server.on(RESOURCE, refused(404, "NOT_FOUND", "Endpoint not found"))
    with pytest.raises(Rejected, match="not there"):
        await connected(server).check()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"route": "grpc"}, "stream, whole, instances"),
        ({"endpoint": "a/b"}, "names no endpoint"),
        ({"x": 1}, "setting"),
    ],
)
async def test_wrong_settings_are_named(more: dict[str, Any], words: str, server: WireServer) -> None:
    with pytest.raises(NotConfigured, match=words):
        connected(server, **more)
