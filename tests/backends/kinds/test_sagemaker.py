"""The SageMaker kind: signed requests, responses in AWS's event stream, tokens, and the endpoint's state."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from backends import Catalog, Delta, Done, NotConfigured, Overloaded, Rejected, Unreachable
from tests.backends import targets
from tests.backends.event_stream import aws_error, event_reply, frames, payload_part
from tests.backends.recordings import ESCAPED, OPENAI, Recording, part, sse
from tests.backends.targets import AWS_KEY, AWS_SECRET
from tests.backends.targets import SAGEMAKER_STREAM as STREAM
from tests.backends.test_contract import assert_matches, collect
from tests.backends.wire_server import ReceivedRequest, Reply, WireServer, cuts

WHOLE = "/endpoints/chat/invocations"
OPENAI_ROUTE = "/endpoints/chat/openai/v1/chat/completions"
HELLO = sse(part(content="Hello"), part("stop"), "data: [DONE]")
pytestmark = pytest.mark.usefixtures("aws_account")


def connected(server: WireServer, **settings: Any) -> Any:
    return targets.connect("sagemaker", server.url, **settings)


@pytest.mark.parametrize("recording", [OPENAI, ESCAPED], ids=["openai", "escaped"])
async def test_frames_cut_at_each_byte(recording: Recording, server: WireServer) -> None:
    backend = connected(server)
    for parts in cuts(frames(recording.wire), step=3):
        server.on(STREAM, event_reply(*parts))
        assert_matches(await collect(backend), recording)
    assert server.connections == 1


async def test_the_answer_cut_into_frames_at_each_byte(server: WireServer) -> None:
    backend = connected(server)
    for parts in cuts(OPENAI.wire, step=5):
        server.on(STREAM, event_reply(*map(payload_part, parts)))
        assert_matches(await collect(backend), OPENAI)


async def test_json_lines_are_read_too(server: WireServer) -> None:
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in (part(content="Größe"), part("stop")))
    headers = {"x-amzn-sagemaker-content-type": "application/jsonlines"}
    for size in (1, 7, 500):
        server.on(STREAM, Reply([frames(lines, size)], type="application/vnd.amazon.eventstream", headers=headers))
        assert await collect(connected(server)) == [Delta("Größe"), Done("stop", None)]


async def test_the_request_and_its_signature(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-a-session")
    server.on(STREAM, event_reply(frames(HELLO)))
    await collect(connected(server, component="ic-1", variant="blue", session_id="s-1", model="tiny"))
    request = server.requests(STREAM)[0]
    assert request.json["model"] == "tiny"
    assert request.json["stream"] is True
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-amzn-sagemaker-inference-component"] == "ic-1"
    assert request.headers["x-amzn-sagemaker-target-variant"] == "blue"
    assert request.headers["x-amzn-sagemaker-session-id"] == "s-1"
    assert request.headers["x-amz-security-token"] == "token-of-a-session"
    assert_signed(server, request)


def assert_signed(server: WireServer, request: ReceivedRequest) -> None:
    """Check that AWS would compute the same signature from the request."""
    fields = dict(each.split("=", 1) for each in request.headers["authorization"].split(" ", 1)[1].split(", "))
    signed = {name: request.headers[name] for name in fields["SignedHeaders"].split(";")}
    assert {"host", "x-amz-date", "content-type"} <= set(signed)
    aws_request = AWSRequest(request.method, server.url + request.path, data=request.body, headers=signed)
    aws_request.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(AWS_KEY, AWS_SECRET), "sagemaker", "eu-west-1")
    text = signer.string_to_sign(aws_request, signer.canonical_request(aws_request))
    assert fields["Signature"] == signer.signature(text, aws_request)
    assert fields["Credential"].startswith(f"{AWS_KEY}/")


async def test_a_container_that_cannot_stream(server: WireServer) -> None:
    whole = {"choices": [{"message": {"content": "<think>hm</think>Hello"}, "finish_reason": "stop"}]}
    server.on(WHOLE, Reply.json(whole))
    events = await collect(connected(server, route="whole"))
    assert events == [Delta("hm", "thought"), Delta("Hello"), Done("stop", None)]
    request = server.requests(WHOLE)[0]
    assert request.json["stream"] is False
    assert_signed(server, request)


async def test_the_chat_route_takes_a_bearer_token(server: WireServer) -> None:
    server.on(OPENAI_ROUTE, Reply([OPENAI.wire]))
    backend = connected(server, route="openai")
    assert_matches(await collect(backend), OPENAI)
    await collect(backend)
    first, second = server.requests(OPENAI_ROUTE)
    assert first.json["model"] == ""
    assert first.headers["authorization"] == second.headers["authorization"]
    token = first.headers["authorization"].removeprefix("Bearer sagemaker-api-key-")
    presigned = urlsplit(f"https://{base64.b64decode(token).decode()}")
    query = {name: values[0] for name, values in parse_qs(presigned.query).items()}
    assert presigned.netloc == "sagemaker.amazonaws.com"
    assert query["Action"] == "CallWithBearerToken"
    assert query["X-Amz-Credential"].endswith("/eu-west-1/sagemaker/aws4_request")
    assert int(query["X-Amz-Expires"]) <= 12 * 3600
    assert AWS_SECRET not in base64.b64decode(token).decode()


async def test_the_token_equals_that_of_the_sdk(server: WireServer) -> None:
    from sagemaker.core.token_generator.token_generator import SageMakerTokenGenerator

    server.on(OPENAI_ROUTE, Reply([OPENAI.wire]))
    await collect(connected(server, route="openai"))
    ours = server.requests(OPENAI_ROUTE)[0].headers["authorization"].removeprefix("Bearer ")
    theirs = SageMakerTokenGenerator().get_token(Credentials(AWS_KEY, AWS_SECRET), "eu-west-1")

    def fields(token: str) -> dict[str, list[str]]:
        query = parse_qs(base64.b64decode(token.removeprefix("sagemaker-api-key-")).decode().partition("?")[2])
        return {name: value for name, value in query.items() if name not in ("X-Amz-Date", "X-Amz-Signature")}

    assert fields(ours) == fields(theirs)


async def test_a_refused_token_is_renewed(server: WireServer) -> None:
    server.on(OPENAI_ROUTE, Reply.json({"message": "expired"}, 403), Reply([OPENAI.wire]))
    backend = connected(server, route="openai", component="ic-1")
    server.on("/endpoints/chat/inference-components/ic-1/openai/v1/chat/completions", Reply.json({}, 403))
    with pytest.raises(Rejected):
        await collect(backend)
    assert backend._token == ""


async def test_an_error_of_the_container_is_passed_on(server: WireServer) -> None:
    body = {"error": {"message": "The prompt has 5,000 tokens, the context 4,096."}}
    more = {"OriginalStatusCode": 400, "OriginalMessage": json.dumps(body), "LogStreamArn": "arn:aws:logs:1"}
    server.on(STREAM, aws_error(424, "ModelError", "Received client error (400) from primary", **more))
    with pytest.raises(Rejected, match=r"5,000 tokens.*Send less.*arn:aws:logs:1") as caught:
        await collect(connected(server))
    assert caught.value.status == 400
    server.on(STREAM, aws_error(424, "ModelError", "Received 429", OriginalStatusCode=429, OriginalMessage="full"))
    with pytest.raises(Overloaded, match="full"):
        await collect(connected(server))


async def test_a_missing_region_or_missing_credentials_have_a_remedy(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"kind": "sagemaker", "endpoint": "chat", "url": server.url}
    with pytest.raises(NotConfigured, match=r"No AWS region.*AWS_DEFAULT_REGION"):
        await collect(Catalog({"aws": entry}, source="test").connect("aws"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NotConfigured, match=r"no AWS credentials.*aws configure"):
        await collect(connected(server))
    with pytest.raises(NotConfigured, match="nobody"):
        await collect(connected(server, profile="nobody"))
    assert server.received_requests == []


async def test_check_reports_the_endpoints_state(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server.url)
    variants = [{"VariantName": "blue", "CurrentInstanceCount": 2}]
    description = {"EndpointName": "chat", "EndpointStatus": "InService", "ProductionVariants": variants}
    server.on("/", Reply.json(description))
    health = await connected(server, model="tiny", context=4096).check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "in service on 2 instances")
    server.on("/", Reply.json(description | {"EndpointStatus": "Updating"}))
    with pytest.raises(Overloaded, match="Updating") as caught:
        await connected(server).check()
    assert caught.value.retry_after
    server.on("/", Reply.json(description | {"EndpointStatus": "Failed", "FailureReason": "no capacity for ml.g5"}))
    with pytest.raises(Unreachable, match=r"no capacity for ml\.g5"):
        await connected(server).check()
    server.on("/", Reply.json({"__type": "ValidationException", "message": "Could not find endpoint"}, 400))
    with pytest.raises(Rejected, match="no SageMaker endpoint chat in eu-west-1"):
        await connected(server).check()


async def test_without_permission_to_see_the_endpoint_check_requests_a_token(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server.url)
    server.on("/", Reply.json({"__type": "AccessDeniedException", "message": "no"}, 400))
    server.on(STREAM, event_reply(frames(HELLO)))
    assert (await connected(server).check()).model == "chat"
    assert server.requests(STREAM)[0].json["max_tokens"] == 1
