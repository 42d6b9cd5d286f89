"""The figures for Prometheus, after requests that are known."""

from __future__ import annotations

from pathlib import Path

from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import Server, events, question
from tests.inference.targets import ANSWER, CHAT, before, client


async def test_each_request_is_counted_by_dialect_and_status(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_PARALLEL=3) as server, client(server) as caller:
        for path, body in (
            (CHAT, question()),
            (CHAT, question(stream=True)),
            ("/invocations", {"inputs": "a"}),
            ("/predict", {"instances": ["a", "b"]}),
        ):
            assert (await caller.post(path, json=body)).status_code == 200
        wire.on(CHAT, Reply.json({"error": {"message": "no"}}, 503), ANSWER)
        assert (await caller.post(CHAT, json=question())).status_code == 503
        found = server.metrics()
    assert found["spaceport_requests_total{dialect=openai,status=200}"] == 2
    assert found["spaceport_requests_total{dialect=sagemaker,status=200}"] == 1
    assert found["spaceport_requests_total{dialect=vertex,status=200}"] == 2  # an answer each
    assert found["spaceport_requests_total{dialect=openai,status=503}"] == 1
    assert found["spaceport_errors_total{kind=overloaded}"] == 1
    assert found["spaceport_input_tokens_total"] == 5 * 5
    assert found["spaceport_output_tokens_total"] == 5 * 2
    assert found["spaceport_time_to_first_token_seconds_count"] == 5
    assert found["spaceport_inter_token_latency_seconds_count"] == 5
    assert found["spaceport_request_duration_seconds_count"] == 6
    assert found["spaceport_queue_wait_seconds_count"] == 6
    assert found["spaceport_requests_in_flight"] == found["spaceport_queue_length"] == 0
    assert found["spaceport_slots"] == 3
    assert found["spaceport_ready"] == 1
    assert found["spaceport_model_info{model=tiny}"] == 1


def test_tokens_are_those_of_the_usages(server: Server) -> None:
    before = server.metrics()
    usages = [server.post(CHAT, question(tokens=tokens)).json()["usage"] for tokens in (1, 5)]
    body = question(tokens=3, stream=True, stream_options={"include_usage": True})
    usages.append(events(server.post(CHAT, body).text)[-2]["usage"])
    after = server.metrics()
    for direction, name in (("input", "prompt_tokens"), ("output", "completion_tokens")):
        figure = f"spaceport_{direction}_tokens_total"
        assert after[figure] - before[figure] == sum(usage[name] for usage in usages)


def test_what_is_refused_at_the_door_is_counted_too(server: Server) -> None:
    for path, dialect in ((CHAT, "openai"), ("/invocations", "sagemaker"), ("/predict", "vertex")):
        counted = server.metric("requests_total", dialect=dialect, status="400")
        server.post(path, {})
        server.post(path, content=b"{")
        assert server.metric("requests_total", dialect=dialect, status="400") == counted + 2


def test_the_figures_are_text_for_prometheus(server: Server) -> None:
    answer = server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert server.metric("process_open_fds") == 0  # its own names have no prefix
    assert server.metrics()["process_open_fds"] > 0
