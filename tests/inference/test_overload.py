"""More concurrent clients than the server has slots."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.backends.wire_server import WireServer
from tests.inference.servers import answer_of, events, model_file, question
from tests.inference.targets import CHAT, client, proxy, start_server, wait_for_value


async def test_each_of_a_hundred_clients_gets_an_answer_or_429(tmp_path: Path) -> None:
    model_file()
    async with start_server(tmp_path, SPACEPORT_PARALLEL=4, SPACEPORT_QUEUE=6) as server, client(server) as caller:
        requests = [
            caller.post(CHAT, json=question(f"Say {number}.", tokens=16, stream=bool(number % 2)))
            for number in range(100)
        ]
        async with asyncio.timeout(120):
            answers = await asyncio.gather(*requests)
        successes = [answer for answer in answers if answer.status_code == 200]
        full = [answer for answer in answers if answer.status_code == 429]
        assert len(successes) + len(full) == 100
        assert len(successes) >= 10
        assert full
        for answer in successes:
            if answer.headers["content-type"] == "application/json":
                assert answer.json()["choices"][0]["finish_reason"]
            else:
                *chunks, done = events(answer.text)
                assert done == "[DONE]"
                assert answer_of(chunks)
        for answer in full:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["error"]["type"] == "server_error"
        await wait_for_value(0.0, lambda: server.metric("requests_in_flight") + server.metric("queue_length"))
        assert server.metric("requests_total", dialect="openai", status="200") == len(successes)
        assert server.metric("requests_total", dialect="openai", status="429") == len(full)
        assert server.metric("errors_total", kind="full") == len(full)
        assert (await caller.post(CHAT, json=question(tokens=2))).status_code == 200


async def test_without_a_queue_requests_use_only_the_slots(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_PARALLEL=2, SPACEPORT_QUEUE=0) as server, client(server) as caller:
        for _ in range(3):
            assert (await caller.post(CHAT, json=question())).status_code == 200
        answer = await caller.post("/predict", json={"instances": ["a"] * 9})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["predictions"]) == 9
