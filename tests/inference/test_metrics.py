"""Metrics for Prometheus after a known series of requests."""

from __future__ import annotations

from pathlib import Path

from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import Server, events, question
from tests.inference.targets import ANSWER, CHAT, client, proxy


async def test_requests_are_counted_by_dialect_and_status(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_PARALLEL=3) as server, client(server) as caller:
        for path, body in (
            (CHAT, question()),
            (CHAT, question(stream=True)),
            ("/invocations", {"inputs": "a"}),
            ("/predict", {"instances": ["a", "b"]}),
        ):
            assert (await caller.post(path, json=body)).status_code == 200
        wire.on(CHAT, Reply.json({"error": {"message": "no"}}, 503), ANSWER)
        assert (await caller.post(CHAT, json=question())).status_code == 503
        metrics = server.metrics()
    assert metrics["spaceport_requests_total{dialect=openai,status=200}"] == 2
    assert metrics["spaceport_requests_total{dialect=sagemaker,status=200}"] == 1
    assert metrics["spaceport_requests_total{dialect=vertex,status=200}"] == 2  # one per instance
    assert metrics["spaceport_requests_total{dialect=openai,status=503}"] == 1
    assert metrics["spaceport_errors_total{kind=overloaded}"] == 1
    assert metrics["spaceport_input_tokens_total"] == 5 * 5
    assert metrics["spaceport_output_tokens_total"] == 5 * 2
    assert metrics["spaceport_time_to_first_token_seconds_count"] == 5
    assert metrics["spaceport_inter_token_latency_seconds_count"] == 5
    assert metrics["spaceport_request_duration_seconds_count"] == 6
    assert metrics["spaceport_queue_wait_seconds_count"] == 6
    assert metrics["spaceport_requests_in_flight"] == metrics["spaceport_queue_length"] == 0
    assert metrics["spaceport_slots"] == 3
    assert metrics["spaceport_ready"] == 1
    assert metrics["spaceport_model_info{model=tiny}"] == 1


def test_token_counts_match_the_usage(server: Server) -> None:
    before = server.metrics()
    usages = [server.post(CHAT, question(tokens=tokens)).json()["usage"] for tokens in (1, 5)]
    body = question(tokens=3, stream=True, stream_options={"include_usage": True})
    usages.append(events(server.post(CHAT, body).text)[-2]["usage"])
    after = server.metrics()
    for direction, name in (("input", "prompt_tokens"), ("output", "completion_tokens")):
        metric = f"spaceport_{direction}_tokens_total"
        assert after[metric] - before[metric] == sum(usage[name] for usage in usages)


def test_rejected_requests_are_counted(server: Server) -> None:
    for path, dialect in ((CHAT, "openai"), ("/invocations", "sagemaker"), ("/predict", "vertex")):
        rejected = server.metric("requests_total", dialect=dialect, status="400")
        server.post(path, {})
        server.post(path, content=b"{")
        assert server.metric("requests_total", dialect=dialect, status="400") == rejected + 2


def test_metrics_use_the_prometheus_text_format(server: Server) -> None:
    answer = server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert server.metric("process_open_fds") == 0  # process metrics have no prefix
    assert server.metrics()["process_open_fds"] > 0
