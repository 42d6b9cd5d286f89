"""SageMaker's wire: requests as botocore signs them, answers in AWS's event stream, refusals as AWS words them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from backends import (
    BackendError,
    Catalog,
    Delta,
    Done,
    Interrupted,
    NotConfigured,
    Overloaded,
    Rejected,
    TimedOut,
    Unreachable,
)
from tests.backends.event_stream import exception, frame, payload_part
from tests.backends.recorded import ESCAPED, OPENAI, REQUEST, Recording, part, sse
from tests.backends.test_contract import assert_kept, assert_left, collect
from tests.backends.wire_server import Asked, Reply, WireServer, cuts

STREAM = "/endpoints/chat/invocations-response-stream"
WHOLE = "/endpoints/chat/invocations"
OPENAI_ROUTE = "/endpoints/chat/openai/v1/chat/completions"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SSE = {"x-amzn-sagemaker-content-type": "text/event-stream"}
HELLO = sse(part(content="Hello"), part("stop"), "data: [DONE]")


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """An identity of the environment alone: nothing of the machine's own is used."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    told = {"ACCESS_KEY_ID": "AKIDEXAMPLE", "SECRET_ACCESS_KEY": SECRET, "EC2_METADATA_DISABLED": "true"}
    told |= {"CONFIG_FILE": str(tmp_path / "none"), "SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    for name, value in told.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def connected(server: WireServer | str, **more: Any) -> Any:
    url = server if isinstance(server, str) else server.url
    entry = {"kind": "sagemaker", "endpoint": "chat", "region": "eu-west-1", "url": url, "read_timeout": 5} | more
    return Catalog({"aws": entry}, source="test").connect("aws")


def framed(wire: bytes, size: int = 97) -> bytes:
    """The container's bytes as SageMaker cuts them: where it likes, also inside a line or a character."""
    return b"".join(payload_part(wire[at : at + size]) for at in range(0, len(wire), size))


def events(*parts: bytes, **more: Any) -> Reply:
    return Reply(parts, type="application/vnd.amazon.eventstream", headers=SSE, **more)


def refused(status: int, code: str, message: str, **more: Any) -> Reply:
    body = json.dumps({"Message": message, **more}).encode()
    return Reply([body], status, "application/json", {"x-amzn-errortype": f"{code}:http://internal/"})


@pytest.mark.parametrize("recording", [OPENAI, ESCAPED], ids=["openai", "escaped"])
async def test_frames_cut_at_each_byte(recording: Recording, server: WireServer) -> None:
    backend = connected(server)
    for parts in cuts(framed(recording.wire), step=3):
        server.on(STREAM, events(*parts))
        assert_kept(await collect(backend), recording)
    assert server.connections == 1


async def test_the_answer_cut_into_frames_at_each_byte(server: WireServer) -> None:
    backend = connected(server)
    for parts in cuts(OPENAI.wire, step=5):
        server.on(STREAM, events(*map(payload_part, parts)))
        assert_kept(await collect(backend), OPENAI)


async def test_lines_of_json_are_read_too(server: WireServer) -> None:
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in (part(content="Größe"), part("stop")))
    told = {"x-amzn-sagemaker-content-type": "application/jsonlines"}
    for size in (1, 7, 500):
        server.on(STREAM, Reply([framed(lines, size)], type="application/vnd.amazon.eventstream", headers=told))
        assert await collect(connected(server)) == [Delta("Größe"), Done("stop", None)]


async def test_what_is_asked_and_who_signs_it(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-a-session")
    server.on(STREAM, events(framed(HELLO)))
    await collect(connected(server, component="ic-1", variant="blue", session_id="s-1", model="tiny"))
    asked = server.requests(STREAM)[0]
    assert asked.json["model"] == "tiny"
    assert asked.json["stream"] is True
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-amzn-sagemaker-inference-component"] == "ic-1"
    assert asked.headers["x-amzn-sagemaker-target-variant"] == "blue"
    assert asked.headers["x-amzn-sagemaker-session-id"] == "s-1"
    assert asked.headers["x-amz-security-token"] == "token-of-a-session"
    assert_signed(server, asked)


def assert_signed(server: WireServer, asked: Asked) -> None:
    """The signature is the one that AWS would compute from what arrived."""
    fields = dict(each.split("=", 1) for each in asked.headers["authorization"].split(" ", 1)[1].split(", "))
    signed = {name: asked.headers[name] for name in fields["SignedHeaders"].split(";")}
    assert {"host", "x-amz-date", "content-type"} <= set(signed)
    request = AWSRequest(asked.method, server.url + asked.path, data=asked.body, headers=signed)
    request.context["timestamp"] = asked.headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", SECRET), "sagemaker", "eu-west-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert fields["Signature"] == signer.signature(text, request)
    assert fields["Credential"].startswith("AKIDEXAMPLE/")


async def test_a_container_that_cannot_stream(server: WireServer) -> None:
    whole = {"choices": [{"message": {"content": "<think>hm</think>Hello"}, "finish_reason": "stop"}]}
    server.on(WHOLE, Reply.json(whole))
    found = await collect(connected(server, route="whole"))
    assert found == [Delta("hm", "thought"), Delta("Hello"), Done("stop", None)]
    asked = server.requests(WHOLE)[0]
    assert asked.json["stream"] is False
    assert_signed(server, asked)


async def test_the_chat_route_takes_a_bearer_token(server: WireServer) -> None:
    server.on(OPENAI_ROUTE, Reply([OPENAI.wire]))
    backend = connected(server, route="openai")
    assert_kept(await collect(backend), OPENAI)
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
    assert SECRET not in base64.b64decode(token).decode()


async def test_the_token_is_the_one_that_the_sdk_makes(server: WireServer) -> None:
    from sagemaker.core.token_generator.token_generator import SageMakerTokenGenerator

    server.on(OPENAI_ROUTE, Reply([OPENAI.wire]))
    await collect(connected(server, route="openai"))
    ours = server.requests(OPENAI_ROUTE)[0].headers["authorization"].removeprefix("Bearer ")
    theirs = SageMakerTokenGenerator().get_token(Credentials("AKIDEXAMPLE", SECRET), "eu-west-1")

    def fields(token: str) -> dict[str, list[str]]:
        query = parse_qs(base64.b64decode(token.removeprefix("sagemaker-api-key-")).decode().partition("?")[2])
        return {name: value for name, value in query.items() if name not in ("X-Amz-Date", "X-Amz-Signature")}

    assert fields(ours) == fields(theirs)


async def test_a_refused_token_is_made_anew(server: WireServer) -> None:
    server.on(OPENAI_ROUTE, Reply.json({"message": "expired"}, 403), Reply([OPENAI.wire]))
    backend = connected(server, route="openai", component="ic-1")
    server.on("/endpoints/chat/inference-components/ic-1/openai/v1/chat/completions", Reply.json({}, 403))
    with pytest.raises(Rejected):
        await collect(backend)
    assert backend._token == ""


BEFORE: list[tuple[Reply, type[BackendError], str]] = [
    (refused(400, "ThrottlingException", "Rate exceeded"), Overloaded, "Rate exceeded"),
    (refused(429, "ModelNotReadyException", "Model is loading"), Overloaded, "loading"),
    (refused(503, "ServiceUnavailable", "Try later"), Overloaded, "Try later"),
    (refused(400, "ExpiredTokenException", "The security token has expired"), NotConfigured, "aws sso login"),
    (refused(403, "InvalidSignatureException", "does not match"), NotConfigured, "credentials"),
    (refused(403, "AccessDeniedException", "not authorized"), Rejected, "sagemaker:InvokeEndpoint"),
    (refused(400, "ValidationError", "Endpoint chat of account 1 not found."), Rejected, "no SageMaker endpoint chat"),
    (refused(400, "ValidationError", "Endpoint chat is not in service"), Overloaded, "try again in a minute"),
    (refused(400, "ValidationError", "Inference Component has no capacity"), Overloaded, "scaled to zero"),
    (refused(400, "ValidationError", "Body is too long"), Rejected, "Body is too long"),
    (refused(500, "InternalFailure", "oops"), Rejected, "SageMaker failed"),
    (refused(530, "InternalDependencyException", "oops"), Rejected, "SageMaker failed"),
    (Reply([b"<html><title>502 Bad Gateway</title></html>"], 502, "text/html"), Rejected, "502"),
    (
        events(exception("ModelStreamError", Message="took 60 s", ErrorCode="ModelInvocationTimeExceeded")),
        TimedOut,
        "60 s",
    ),
    (events(exception("ModelStreamError", Message="broke", ErrorCode="StreamBroken")), Unreachable, "StreamBroken"),
    (events(exception("InternalStreamFailure", Message="oops")), Unreachable, "InternalStreamFailure"),
    (events(frame(b"", message_type="error", error_code="500", error_message="gone")), Unreachable, "gone"),
    (events(b"\x00" * 64), Unreachable, "no event stream"),
    (events(b""), Unreachable, "closed the stream"),
    (events(end="drop"), Unreachable, ""),
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
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "last",
    [
        exception("ModelStreamError", Message="broke", ErrorCode="StreamBroken"),
        exception("InternalStreamFailure", Message="oops"),
        frame(b"", message_type="error", error_code="500", error_message="gone"),
        payload_part(b"data: {}\n\n")[:-1] + b"!",
        b"",
    ],
    ids=["model", "internal", "error", "checksum", "end"],
)
async def test_a_stream_that_breaks_keeps_what_there_was(last: bytes, server: WireServer) -> None:
    server.on(STREAM, events(framed(sse(part(content="Hello"))) + last))
    found = []
    with pytest.raises(Interrupted, match="cut off"):
        async for event in connected(server).stream(REQUEST):
            found.append(event)
    assert found == [Delta("Hello")]


async def test_the_containers_own_refusal_comes_through(server: WireServer) -> None:
    told = {"error": {"message": "The prompt has 5,000 tokens, the context 4,096."}}
    more = {"OriginalStatusCode": 400, "OriginalMessage": json.dumps(told), "LogStreamArn": "arn:aws:logs:1"}
    server.on(STREAM, refused(424, "ModelError", "Received client error (400) from primary", **more))
    with pytest.raises(Rejected, match=r"5,000 tokens.*Send less.*arn:aws:logs:1") as caught:
        await collect(connected(server))
    assert caught.value.status == 400
    server.on(STREAM, refused(424, "ModelError", "Received 429", OriginalStatusCode=429, OriginalMessage="full"))
    with pytest.raises(Overloaded, match="full"):
        await collect(connected(server))


@pytest.mark.parametrize("by", ["closing", "cancelling"])
async def test_a_reader_that_leaves_frees_the_connection(by: str, server: WireServer) -> None:
    server.on(STREAM, events(framed(sse(part(content="word "))), end="repeat"))
    await assert_left(connected(server), server, by=by)


async def test_without_region_or_credentials_the_remedy_is_said(
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
    assert server.asked == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"route": "grpc"}, "stream, whole, openai"),
        ({"route": "openai", "variant": "blue"}, "no variant"),
        ({"endpont": "x"}, "Did you mean endpoint"),
    ],
)
def test_wrong_settings_are_named(more: dict[str, Any], words: str) -> None:
    with pytest.raises(NotConfigured, match=words):
        connected("http://127.0.0.1:1", **more)


async def test_check_tells_the_endpoints_state(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server.url)
    variants = [{"VariantName": "blue", "CurrentInstanceCount": 2}]
    described = {"EndpointName": "chat", "EndpointStatus": "InService", "ProductionVariants": variants}
    server.on("/", Reply.json(described))
    health = await connected(server, model="tiny", context=4096).check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "in service on 2 instances")
    server.on("/", Reply.json(described | {"EndpointStatus": "Updating"}))
    with pytest.raises(Overloaded, match="Updating") as caught:
        await connected(server).check()
    assert caught.value.retry_after
    server.on("/", Reply.json(described | {"EndpointStatus": "Failed", "FailureReason": "no capacity for ml.g5"}))
    with pytest.raises(Unreachable, match=r"no capacity for ml\.g5"):
        await connected(server).check()
    server.on("/", Reply.json({"__type": "ValidationException", "message": "Could not find endpoint"}, 400))
    with pytest.raises(Rejected, match="no SageMaker endpoint chat in eu-west-1"):
        await connected(server).check()


async def test_who_may_not_look_at_the_endpoint_asks_for_a_token(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server.url)
    server.on("/", Reply.json({"__type": "AccessDeniedException", "message": "no"}, 400))
    server.on(STREAM, events(framed(HELLO)))
    assert (await connected(server).check()).model == "chat"
    assert server.requests(STREAM)[0].json["max_tokens"] == 1
