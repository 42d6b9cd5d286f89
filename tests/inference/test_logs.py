"""The log: JSON lines with the client's request ID, without prompts or answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import Server, question
from tests.inference.targets import CHAT, END, client, event, proxy, wait_for_value

PROMPT, ANSWER, REFUSAL = "marker-of-the-prompt", "marker-of-the-answer", "marker-of-the-refusal"


def test_request_id_of_the_client_is_used(server: Server) -> None:
    client_id = "trace-1:a.b=c_d"
    answer = server.post(CHAT, question(tokens=1), headers={"x-request-id": client_id})
    assert answer.headers["x-request-id"] == client_id
    assert answer.json()["id"] == f"chatcmpl-{client_id}"
    [line] = server.log_lines(request_id=client_id)
    assert line["message"] == "answered"
    assert line["dialect"] == "openai"
    assert line["status"] == 200
    assert line["output_tokens"] == 1
    assert line["seconds"] >= line["first_token_seconds"] > 0
    answer = server.post(CHAT, {}, headers={"x-request-id": client_id})
    assert answer.headers["x-request-id"] == client_id
    assert server.log_lines(request_id=client_id, message="request rejected", status=400)


@pytest.mark.parametrize("invalid", [b'"}\t{"', b"a b", b"x" * 129, b"\xe9\xff", b"", b"${jndi:ldap://x}", b"<script>"])
def test_invalid_request_id_is_replaced(server: Server, invalid: bytes) -> None:
    answer = server.post(CHAT, question(tokens=1), headers={b"x-request-id": invalid})
    new_id = answer.headers["x-request-id"]
    assert len(new_id) == 32
    assert new_id.isascii()
    assert new_id.isalnum()
    assert server.log_lines(request_id=new_id)


async def test_prompts_and_answers_are_never_logged(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_LOG_LEVEL="debug") as server, client(server) as caller:
        refusal = Reply.json({"error": {"message": f"{REFUSAL}: {PROMPT}"}}, 400)
        interruption = Reply([event(content=ANSWER)], end="drop")
        invalid = Reply([event(content=ANSWER), b"data: {" + ANSWER.encode() + b"\n\n"])
        for reply in (Reply([event(content=ANSWER), *END]), refusal, interruption, invalid):
            wire.on(CHAT, reply)
            for stream in (False, True):
                assert await caller.post(CHAT, json=question(PROMPT, stream=stream, stop=[PROMPT]))
                assert await caller.post("/predict", json={"instances": [PROMPT]})
        for body in ({"messages": [{"role": PROMPT}]}, {"messages": PROMPT}, {"model": PROMPT, **question(PROMPT)}):
            assert (await caller.post(CHAT, json=body)).status_code >= 400
        assert (await caller.post(CHAT, content=f'{{"messages": "{PROMPT}'.encode())).status_code == 400
        assert (await caller.post(f"/{PROMPT}?{PROMPT}")).status_code == 404
        await wait_for_value(True, lambda: len(server.log_lines(message="rejected")) >= 4)
    assert server.log
    for marker in (PROMPT, ANSWER, REFUSAL):
        assert marker not in server.output


def test_real_engine_logs_no_text(server: Server) -> None:
    body = question(f"Repeat after me: {PROMPT}", tokens=8)
    text = server.post(CHAT, body).json()["choices"][0]["message"]["content"]
    server.post(CHAT, question(f"{PROMPT} " * 500))
    assert PROMPT not in server.output
    assert text not in server.output
