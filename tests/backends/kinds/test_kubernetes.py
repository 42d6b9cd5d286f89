"""The kubernetes kind, with the real client and a local API server: the routes to a pod, and the errors."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends import (
    Backend,
    BackendError,
    Catalog,
    ChatRequest,
    Delta,
    Interrupted,
    Message,
    NotConfigured,
    Overloaded,
    Rejected,
    Stopwatch,
    Unreachable,
)
from backends.streams import closing
from tests.backends.kinds import api_server
from tests.backends.kinds.api_server import ApiServer
from tests.backends.recordings import ESCAPED, OPENAI, REQUEST, part, sse
from tests.backends.test_contract import assert_matches, collect
from tests.backends.wire_server import Reply, WireServer, cuts
from tests.inference.servers import Server, model_file, run_server

# The Kubernetes client doesn't close a WebSocket that the cluster has closed; the garbage collector does.
pytestmark = pytest.mark.filterwarnings("ignore:.*unclosed <ssl.SSLSocket.*")
CHAT = "/v1/chat/completions"
ROUTES = ("proxy", "forward")


@pytest.fixture(scope="module")
def cluster_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server.serving(tmp_path_factory.mktemp("cluster")) as api:
        yield api
    gc.collect()  # here, where the warning is expected


@pytest.fixture
def cluster(cluster_server: ApiServer, server: WireServer, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """A cluster whose only pod is the wire server."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    fresh = ApiServer(cluster_server.folder, cluster_server.url, {"inference-1": server.url})
    vars(cluster_server).update(vars(fresh))
    return cluster_server


def connect(cluster: ApiServer, **settings: Any) -> Backend:
    entry = {"kind": "kubernetes", "service": "inference", "kubeconfig": str(cluster.kubeconfig()), "model": "tiny"}
    entry |= {"read_timeout": 5, **settings}
    settings = {name: value for name, value in entry.items() if value is not None}
    return Catalog({"cluster": settings}, source="test", environment={}).connect("cluster")


async def failure(backend: Backend, kind: type[BackendError]) -> str:
    with pytest.raises(kind) as caught:
        await collect(backend)
    return str(caught.value)


@pytest.mark.parametrize("via", ROUTES)
@pytest.mark.parametrize("recording", [OPENAI, ESCAPED], ids=["plain", "escaped"])
async def test_the_answer_of_a_pod_cut_anywhere(
    via: str, recording: Any, cluster: ApiServer, server: WireServer
) -> None:
    backend = connect(cluster, via=via)
    for parts in cuts(recording.wire, step=7):
        server.on(CHAT, Reply(parts))
        assert_matches(await collect(backend), recording)
    assert server.requests(CHAT)[0].json["model"] == "tiny"
    assert len(cluster.forwards) == (1 if via == "forward" else 0)


async def test_a_key_goes_to_the_pod_and_the_token_to_the_cluster(cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    assert_matches(await collect(connect(cluster, api_key="k-of-the-pod")), OPENAI)
    assert len(cluster.forwards) == 1
    assert server.requests(CHAT)[0].headers["authorization"] == "Bearer k-of-the-pod"
    assert_matches(await collect(connect(cluster)), OPENAI)
    assert "authorization" not in server.requests(CHAT)[1].headers
    with pytest.raises(NotConfigured, match=r"does not pass the API key.*forward"):
        connect(cluster, api_key="k", via="proxy")


async def test_a_server_that_differs(cluster: ApiServer, server: WireServer) -> None:
    words = "'temperature' is not supported with this model."
    server.on(CHAT, Reply.json({"error": {"message": words}}, 400), Reply([OPENAI.wire]))
    events = await collect(connect(cluster, max_tokens_field="max_completion_tokens", reasoning="none"))
    assert "<think>" in "".join(event.text for event in events if isinstance(event, Delta))
    first, second = (request.json for request in server.requests(CHAT))
    assert first["max_completion_tokens"] == 64
    assert ("temperature" in first, "temperature" in second) == (True, False)


def test_an_authority_without_tls(cluster: ApiServer) -> None:
    with pytest.raises(NotConfigured, match="ca has no effect"):
        connect(cluster, via="dns", port=80, ca="/ca.pem")


async def test_a_cluster_on_this_machine_needs_no_proxy(
    cluster: ApiServer, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # the Kubernetes client has no exception of its own
    server.on(CHAT, Reply([OPENAI.wire]))
    assert_matches(await collect(connect(cluster)), OPENAI)


@pytest.mark.parametrize("via", ROUTES)
async def test_a_client_that_leaves_frees_the_pod(via: str, cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="One"))], end="hang"))
    stream = connect(cluster, via=via).stream(REQUEST)
    async with closing(stream):
        assert await anext(stream) == Delta("One")
    await asyncio.wait_for(server.client_left.wait(), 60)


@pytest.mark.parametrize("via", ROUTES)
async def test_a_pod_that_stops_during_a_stream(via: str, cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="One"))], end="drop"), Reply([OPENAI.wire]))
    backend, events = connect(cluster, via=via), []
    with pytest.raises(Interrupted):
        async for event in backend.stream(REQUEST):
            events.append(event)
    assert events == [Delta("One")]
    assert_matches(await collect(backend), OPENAI)


async def test_a_new_pod_replaces_one_that_is_gone(cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    backend = connect(cluster, via="forward")
    await collect(backend)
    assert cluster.forwards[0].path_params["pod"] == "inference-1"
    cluster.pods = {"inference-2": server.url}
    await cluster.forwards[0].close()  # the cluster closes the connections to a pod that is gone
    assert_matches(await collect(backend), OPENAI)
    assert cluster.forwards[1].path_params["pod"] == "inference-2"


@pytest.mark.parametrize("via", ROUTES)
async def test_check_reports_how_many_pods_are_ready(via: str, cluster: ApiServer, server: WireServer) -> None:
    cluster.pods |= {"inference-2": server.url, "inference-3": "http://127.0.0.1:9"}
    cluster.unready = {"inference-3"}
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny", "max_model_len": 4096}]}))
    health = await connect(cluster, via=via).check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "2 of 3 pods ready")


async def test_without_permission_to_list_pods_requests_still_work(cluster: ApiServer, server: WireServer) -> None:
    cluster.denied = {"endpointslices"}
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny"}]}))
    health = await connect(cluster, via="proxy").check()
    assert re.search("with the verb list on endpointslices in the namespace spaceport", health.detail)


@pytest.mark.parametrize("via", ROUTES)
async def test_no_pod_is_ready(via: str, cluster: ApiServer) -> None:
    cluster.unready = {"inference-1"}
    message = await failure(connect(cluster, via=via), Overloaded)
    assert "kubectl get" in message and "--namespace spaceport" in message
    with pytest.raises(Overloaded, match="None of the 1 pods"):
        await connect(cluster, via=via).check()


@pytest.mark.parametrize("via", ROUTES)
async def test_no_such_service(via: str, cluster: ApiServer) -> None:
    message = await failure(connect(cluster, via=via, service="inferences", port=8080), Rejected)
    assert 'services "inferences" not found' in message
    assert "kubectl get services" in message


@pytest.mark.parametrize(
    ("via", "resource", "verb"),
    [
        ("proxy", "services", "get"),
        ("proxy", "services/proxy", "create"),
        ("forward", "services", "get"),
        ("forward", "endpointslices", "list"),
        ("forward", "pods/portforward", "get"),
    ],
)
async def test_a_missing_permission_is_named(via: str, resource: str, verb: str, cluster: ApiServer) -> None:
    cluster.denied = {resource}
    message = await failure(connect(cluster, via=via), Rejected)
    assert f"a role with the verb {verb} on {resource} in the namespace spaceport" in message
    assert api_server.IDENTITY not in message


async def test_with_a_port_number_the_proxy_needs_one_permission(cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    cluster.denied = {"services", "endpointslices"}
    await collect(connect(cluster, via="proxy", port=8080))
    assert set(cluster.calls) == {"create services/proxy"}  # for the question, and for what the server says of itself


@pytest.mark.parametrize("via", ROUTES)
async def test_expired_credentials(via: str, cluster: ApiServer) -> None:
    expired = str(cluster.kubeconfig(identity="expired"))
    message = await failure(connect(cluster, via=via, kubeconfig=expired), NotConfigured)
    assert "Sign in again" in message


@pytest.mark.parametrize("via", ROUTES)
async def test_an_unreachable_api_server(via: str, cluster: ApiServer, tmp_path: Path) -> None:
    text = cluster.kubeconfig().read_text().replace(cluster.url, "https://127.0.0.1:9")
    (tmp_path / "config").write_text(text)
    message = await failure(connect(cluster, via=via, kubeconfig=str(tmp_path / "config")), Unreachable)
    assert "kubectl cluster-info" in message


async def test_an_unreachable_pod(cluster: ApiServer) -> None:
    cluster.pods = {"inference-1": "http://127.0.0.1:9"}
    assert "could not reach the pod" in await failure(connect(cluster, via="proxy"), Unreachable)
    await failure(connect(cluster, via="forward"), Unreachable)


async def test_an_error_of_the_pod_is_passed_on(cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply.json({"error": {"message": "the queue is full"}}, 429))
    message = await failure(connect(cluster, via="proxy"), Overloaded)
    assert "the queue is full" in message


@pytest.mark.parametrize(
    ("port", "message"), [("web", "has no port web"), (None, "several ports"), (81, "has no port 81")]
)
async def test_a_port_that_does_not_exist(port: Any, message: str, cluster: ApiServer) -> None:
    cluster.ports |= {"metrics": 9090}
    error = await failure(connect(cluster, via="forward", port=port), NotConfigured)
    assert message in error and "8080 (http), 9090 (metrics)" in error


@pytest.mark.parametrize("text", [None, "", "contexts: [", "current-context: none"])
async def test_no_usable_kubeconfig(text: str | None, cluster: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    message = await failure(connect(cluster, via="proxy", kubeconfig=str(path)), NotConfigured)
    assert "kubeconfig" in message and "Set kubeconfig and context" in message


async def test_an_unknown_context_is_named(cluster: ApiServer, server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    await collect(connect(cluster, via="proxy", context="kind-test"))
    message = await failure(connect(cluster, via="proxy", context="prod"), NotConfigured)
    assert "prod" in message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"via": "ssh"}, "no route 'ssh'.*dns, proxy, forward"),
        ({"via": "dns", "port": None}, "Set port to a number"),
        ({"services": "x"}, "Did you mean service"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str, cluster: ApiServer) -> None:
    with pytest.raises(NotConfigured, match=message):
        connect(cluster, **settings)


async def test_in_a_pod_the_name_is_enough(
    cluster: ApiServer, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pod the API server gets no request. The name is localhost, which resolves on this machine too."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    server.on(CHAT, Reply([OPENAI.wire]))
    port = int(server.url.rpartition(":")[2])
    assert_matches(await collect(connect(cluster, service="localhost", port=port, api_key="k")), OPENAI)
    assert cluster.calls == []
    assert server.requests(CHAT)[0].headers["authorization"] == "Bearer k"
    message = await failure(connect(cluster, service="nowhere", namespace="there", port=port), Unreachable)
    assert "kubectl get endpointslices,pods --namespace there" in message


async def test_marks_are_recorded_on_either_route(cluster: ApiServer, server: WireServer) -> None:
    for via in ROUTES:
        server.on(CHAT, Reply([OPENAI.wire]))
        stopwatch = Stopwatch()
        with stopwatch.marking():
            assert_matches(
                [event async for event in stopwatch.record(connect(cluster, via=via).stream(REQUEST))], OPENAI
            )
        assert stopwatch.sent_at is not None and stopwatch.arrivals


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    model_file()
    with run_server(tmp_path_factory.mktemp("server"), SPACEPORT_PARALLEL=2) as server:
        yield server


async def test_a_real_model_answers_on_either_route(cluster: ApiServer, model: Server) -> None:
    cluster.pods = {"inference-1": model.url}
    request = ChatRequest((Message("user", "Count to five."),), max_tokens=24)
    for via in ROUTES:
        backend = connect(cluster, via=via, model=None, port="http")
        *deltas, done = await collect(backend, request)
        assert "".join(delta.text for delta in deltas if isinstance(delta, Delta)).strip()
        assert done.usage and done.usage.output_tokens  # type: ignore[union-attr]
        health = await backend.check()
        assert health.detail == "1 of 1 pods ready"


def test_the_kubeconfig_is_not_read_before_the_first_request() -> None:
    backend = Catalog(
        {"a": {"kind": "kubernetes", "service": "x", "kubeconfig": "/nowhere"}}, source="test", environment={}
    )
    assert "KUBERNETES_SERVICE_HOST" not in os.environ
    assert backend.target("a").unavailable is None
