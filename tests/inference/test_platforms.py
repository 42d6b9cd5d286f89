"""The SageMaker and Vertex AI dialects with the real model, and the platforms' environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.backends.wire_server import WireServer
from tests.helpers.servers import free_port
from tests.inference.servers import Server, answer_of, events, question
from tests.inference.targets import client, proxy

TASK = "Name a colour."


def text_of(completion: dict[str, Any]) -> str:
    return str(completion["choices"][0]["message"]["content"])


@pytest.mark.parametrize("route", ["/invocations", "/predict"])
def test_raw_route_accepts_a_chat_completion(server: Server, route: str) -> None:
    expected = server.post("/v1/chat/completions", question(TASK)).json()
    assert text_of(server.post(route, question(TASK)).json()) == text_of(expected)
    stream = server.post(route, question(TASK, stream=True))
    assert stream.headers["content-type"].startswith("text/event-stream")
    *chunks, done = events(stream.text)
    assert done == "[DONE]"
    assert answer_of(chunks) == text_of(expected)


def test_inputs_and_parameters_become_a_chat_completion(server: Server) -> None:
    body = {"inputs": TASK, "parameters": {"max_new_tokens": 5, "temperature": 0}}
    complete = server.post("/invocations", body).json()
    assert complete["usage"]["completion_tokens"] == 5
    *chunks, done = events(server.post("/invocations", {**body, "stream": True}).text)
    assert done == "[DONE]"
    assert answer_of(chunks) == text_of(complete)


def test_predictions_keep_the_order_of_instances(server: Server) -> None:
    tasks = [f"{colour} " * 5 for colour in ("red", "green", "blue")]
    expected = [text_of(server.post("/v1/chat/completions", question(task)).json()) for task in tasks]
    instances = [{"messages": [{"role": "user", "content": task}]} for task in tasks]
    body = {"instances": instances, "parameters": {"maxOutputTokens": 8, "temperature": 0}}
    predictions = server.post("/predict", body).json()["predictions"]
    assert [text_of(each) for each in predictions] == expected
    texts = {"instances": tasks, "parameters": {"maxOutputTokens": 8, "temperature": 0}}
    assert [text_of(each) for each in server.post("/predict", texts).json()["predictions"]] == expected


def test_one_request_can_have_more_instances_than_slots_and_queue(server: Server) -> None:
    instances = [{"prompt": "Hi. " * (1 + number % 3)} for number in range(24)]
    answer = server.post("/predict", {"instances": instances, "parameters": {"max_tokens": 1}})
    assert answer.status_code == 200
    predictions = answer.json()["predictions"]
    single = [server.post("/predict", {"instances": [{**each, "max_tokens": 1}]}).json() for each in instances[:3]]
    lengths = [each["predictions"][0]["usage"]["prompt_tokens"] for each in single]
    assert [each["usage"]["prompt_tokens"] for each in predictions] == [lengths[number % 3] for number in range(24)]


def test_parameters_of_an_instance_override_shared_ones(server: Server) -> None:
    body = {"instances": [{"prompt": TASK, "max_tokens": 1}, TASK], "parameters": {"max_tokens": 3}}
    predictions = server.post("/predict", body).json()["predictions"]
    assert [each["usage"]["completion_tokens"] for each in predictions] == [1, 3]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"instances": []}, "at least one"),
        ({"instances": "a"}, "not a list"),
        ({"instances": [7]}, "not an object"),
        ({"instances": ["a"] * 65}, "at most 64"),
        ({"instances": ["a", "b"], "stream": True}, "cannot be streamed"),
        ({"instances": ["a", "b"], "parameters": {"stream": True, "max_tokens": 1}}, "cannot be streamed"),
        ({"instances": [{"prompt": "b", "parameters": {"stream": True, "max_tokens": 1}}]}, "cannot be streamed"),
        ({"instances": ["a", {}]}, "messages is missing"),
        ({"instances": ["a"], "parameters": [1]}, "parameters is not an object"),
        ({"inputs": 7}, "content is 7"),
        ({"inputs": "a", "parameters": {"max_new_tokens": 0}}, "max_tokens is 0"),
    ],
)
def test_invalid_requests_are_rejected(server: Server, body: Any, reason: str) -> None:
    answer = server.post("/predict", body)
    assert answer.status_code == 400, answer.text
    assert reason in answer.json()["error"]["message"]


def test_all_predictions_of_a_request_have_its_id(server: Server) -> None:
    answer = server.post("/predict", {"instances": ["a", "b"], "parameters": {"max_tokens": 1}})
    shared_id = answer.headers["x-request-id"]
    assert len(server.log_lines(request_id=shared_id)) == 2


async def test_vertex_sets_the_port_and_the_routes(wire: WireServer, tmp_path: Path) -> None:
    names = {"AIP_HEALTH_ROUTE": "/v1/alive", "AIP_PREDICT_ROUTE": "/v1/models/m:predict"}
    port = {"SPACEPORT_PORT": "", "AIP_HTTP_PORT": free_port()}
    async with proxy(wire, tmp_path, **names, **port) as server, client(server) as caller:
        assert (await caller.get("/v1/alive")).json() == {"status": "ready"}
        assert (await caller.get("/ready")).status_code == 200
        answer = await caller.post("/v1/models/m:predict", json={"instances": ["a"]})
        assert text_of(answer.json()["predictions"][0]) == "Hello you."
        assert (await caller.post("/predict", json={"instances": ["a"]})).status_code == 404


async def test_sagemaker_sets_the_port_and_pings(wire: WireServer, tmp_path: Path) -> None:
    port = {"SPACEPORT_PORT": "", "SAGEMAKER_BIND_TO_PORT": free_port()}
    async with proxy(wire, tmp_path, **port) as server, client(server) as caller:
        assert (await caller.get("/ping")).status_code == 200
        assert text_of((await caller.post("/invocations", json={"inputs": "a"})).json()) == "Hello you."


async def test_vertex_route_can_equal_one_of_ours(wire: WireServer, tmp_path: Path) -> None:
    names = {"AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": "/v1/chat/completions"}
    async with proxy(wire, tmp_path, **names) as server, client(server) as caller:
        assert (await caller.get("/health")).json() == {"status": "ready"}
        assert (await caller.post("/v1/chat/completions", json=question())).json()["object"] == "chat.completion"
