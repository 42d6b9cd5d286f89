"""The Vertex AI kind: the routes of an endpoint, tokens from an OAuth exchange, dedicated endpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backends import Delta, Done, NotConfigured, Overloaded, Rejected, Unreachable
from backends.kinds.vertex import gcp
from tests.backends import targets
from tests.backends.recordings import ESCAPED, OPENAI, Recording
from tests.backends.targets import GOOGLE_TOKEN, give_google_token, google_error
from tests.backends.targets import VERTEX_DESCRIPTION as DESCRIPTION
from tests.backends.targets import VERTEX_RESOURCE as RESOURCE
from tests.backends.targets import VERTEX_STREAM as STREAM
from tests.backends.test_contract import assert_matches, collect
from tests.backends.wire_server import Reply, WireServer, cuts

WHOLE, PREDICT = f"{RESOURCE}:rawPredict", f"{RESOURCE}:predict"
pytestmark = pytest.mark.usefixtures("google_account")


def connected(server: WireServer, **settings: Any) -> Any:
    return targets.connect("vertex", server.url, **settings)


@pytest.mark.parametrize("recording", [OPENAI, ESCAPED], ids=["openai", "escaped"])
async def test_the_stream_cut_at_each_byte(recording: Recording, server: WireServer) -> None:
    backend = connected(server)
    for parts in cuts(recording.wire):
        server.on(STREAM, Reply(parts))
        assert_matches(await collect(backend), recording)
    assert len(server.requests(RESOURCE)) == len(server.requests("/token")) == 1


async def test_the_request(server: WireServer) -> None:
    server.on(STREAM, Reply([OPENAI.wire]))
    await collect(connected(server, model="tiny"))
    request = server.requests(STREAM)[0]
    assert request.headers["authorization"] == f"Bearer {GOOGLE_TOKEN}"
    assert request.json["model"] == "tiny"
    assert request.json["stream"] is True


async def test_a_dedicated_endpoint_is_called_at_its_own_address(server: WireServer) -> None:
    # A dedicated endpoint needs TLS, which only the container tests have; here nothing answers at its address.
    dedicated = {"dedicatedEndpointEnabled": True, "dedicatedEndpointDns": "4711.europe-west4-1.localhost:1"}
    server.on(RESOURCE, Reply.json(DESCRIPTION | dedicated))
    with pytest.raises(Unreachable, match=r"https://4711\.europe-west4-1\.localhost:1"):
        await collect(connected(server))
    server.on(RESOURCE, Reply.json(DESCRIPTION))
    with pytest.raises(Unreachable, match=r"https://own\.localhost:1"):
        await collect(connected(server, dns="own.localhost:1"))
    assert server.requests(STREAM) == []


async def test_without_permission_to_see_the_endpoint_it_is_called_as_a_shared_one(server: WireServer) -> None:
    server.on(RESOURCE, google_error(403, "PERMISSION_DENIED", "aiplatform.endpoints.get"))
    server.on(STREAM, Reply([OPENAI.wire]))
    backend = connected(server)
    assert_matches(await collect(backend), OPENAI)
    assert "not allowed to see" in (await backend.check()).detail


@pytest.mark.parametrize("name", ["4711", "projects/demo/locations/europe-west4/endpoints/4711"])
async def test_complete_answers(name: str, server: WireServer) -> None:
    whole = {"choices": [{"message": {"content": "<think>hm</think>Hello"}, "finish_reason": "stop"}]}
    server.on(WHOLE, Reply.json(whole))
    events = await collect(connected(server, route="whole", endpoint=name))
    assert events == [Delta("hm", "thought"), Delta("Hello"), Done("stop", None)]
    assert server.requests(WHOLE)[0].json["stream"] is False


async def test_instances(server: WireServer) -> None:
    whole = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "length"}]}
    server.on(PREDICT, Reply.json({"predictions": [whole], "deployedModelId": "1"}))
    assert await collect(connected(server, route="instances")) == [Delta("Hello"), Done("length", None)]
    instances = server.requests(PREDICT)[0].json["instances"]
    assert [each["role"] for each in instances[0]["messages"]] == ["system", "user"]
    server.on(PREDICT, Reply.json({"predictions": ["Hello"]}))
    assert await collect(connected(server, route="instances")) == [Delta("Hello"), Done(None, None)]
    for document in ({"predictions": []}, {"x": 1}, []):
        server.on(PREDICT, Reply.json(document))
        with pytest.raises(Unreachable, match="not as a model API"):
            await collect(connected(server, route="instances"))


async def test_a_token_is_renewed_before_it_expires(server: WireServer) -> None:
    give_google_token(server, "first", gcp.RENEW_SECONDS - 60)  # still valid, but not for long
    server.on(STREAM, Reply([OPENAI.wire]))
    backend = connected(server, dns=None)
    await collect(backend)
    give_google_token(server, "second")
    for _ in range(3):  # a renewal may have started before the server's reply changed
        await collect(backend)
        await backend._tokens._renewal
    await collect(backend)
    tokens = [request.headers["authorization"] for request in server.requests(STREAM)]
    assert tokens[0] == "Bearer first"
    assert tokens[-1] == "Bearer second"


async def test_a_refused_token_is_renewed(server: WireServer) -> None:
    server.on(STREAM, google_error(401, "UNAUTHENTICATED", "invalid token"), Reply([OPENAI.wire]))
    backend = connected(server)
    with pytest.raises(NotConfigured, match="gcloud auth"):
        await collect(backend)
    assert_matches(await collect(backend), OPENAI)
    assert len(server.requests("/token")) == 2


async def test_a_failed_renewal_is_an_error_and_the_next_request_retries(server: WireServer, private_key: str) -> None:
    server.on("/token", Reply.json({"error": "invalid_grant", "error_description": "account is disabled"}, 400))
    server.on(STREAM, Reply([OPENAI.wire]))
    backend = connected(server)
    with pytest.raises(NotConfigured, match="returned no token") as caught:
        await collect(backend)
    assert "PRIVATE" not in str(caught.value)
    give_google_token(server)
    assert_matches(await collect(backend), OPENAI)


async def test_missing_credentials_or_a_missing_project_have_a_remedy(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
        await collect(connected(server))
    account = json.loads((tmp_path / "account.json").read_text())
    (tmp_path / "none.json").write_text(json.dumps({name: account[name] for name in account if name != "project_id"}))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # google-auth would ask gcloud for a project
    with pytest.raises(NotConfigured, match="No Google Cloud project"):
        await collect(connected(server))


async def test_check_reports_the_deployed_model(server: WireServer) -> None:
    health = await connected(server, context=4096).check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "shared endpoint, tiny")
    server.on(RESOURCE, Reply.json(DESCRIPTION | {"deployedModels": []}))
    with pytest.raises(Overloaded, match="Nothing is deployed"):
        await connected(server).check()
    server.on(RESOURCE, google_error(404, "NOT_FOUND", "Endpoint not found"))
    with pytest.raises(Rejected, match="does not exist"):
        await connected(server).check()
