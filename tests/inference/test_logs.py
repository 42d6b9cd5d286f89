"""The log: JSON by line, with ids that connect it to the caller's, and without a word of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import Server, question
from tests.inference.targets import CHAT, END, becomes, before, client, event

ASKED, SAID, REFUSED = "marker-of-the-prompt", "marker-of-the-answer", "marker-of-the-refusal"


def test_the_callers_id_is_kept(server: Server) -> None:
    given = "trace-1:a.b=c_d"
    answer = server.post(CHAT, question(tokens=1), headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given
    assert answer.json()["id"] == f"chatcmpl-{given}"
    [line] = server.logged(request_id=given)
    assert line["message"] == "answered"
    assert line["dialect"] == "openai"
    assert line["status"] == 200
    assert line["output_tokens"] == 1
    assert line["seconds"] >= line["first_token_seconds"] > 0
    answer = server.post(CHAT, {}, headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given
    assert server.logged(request_id=given, message="refused", status=400)


@pytest.mark.parametrize("nasty", [b'"}\t{"', b"a b", b"x" * 129, b"\xe9\xff", b"", b"${jndi:ldap://x}", b"<script>"])
def test_a_nasty_id_is_replaced(server: Server, nasty: bytes) -> None:
    answer = server.post(CHAT, question(tokens=1), headers={b"x-request-id": nasty})
    given = answer.headers["x-request-id"]
    assert len(given) == 32
    assert given.isascii()
    assert given.isalnum()
    assert server.logged(request_id=given)


async def test_nothing_of_what_is_said_is_logged(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_LOG_LEVEL="debug") as server, client(server) as caller:
        refused = Reply.json({"error": {"message": f"{REFUSED}: {ASKED}"}}, 400)
        broken = Reply([event(content=SAID)], end="drop")
        garbled = Reply([event(content=SAID), b"data: {" + SAID.encode() + b"\n\n"])
        for reply in (Reply([event(content=SAID), *END]), refused, broken, garbled):
            wire.on(CHAT, reply)
            for stream in (False, True):
                assert await caller.post(CHAT, json=question(ASKED, stream=stream, stop=[ASKED]))
                assert await caller.post("/predict", json={"instances": [ASKED]})
        for body in ({"messages": [{"role": ASKED}]}, {"messages": ASKED}, {"model": ASKED, **question(ASKED)}):
            assert (await caller.post(CHAT, json=body)).status_code >= 400
        assert (await caller.post(CHAT, content=f'{{"messages": "{ASKED}'.encode())).status_code == 400
        assert (await caller.post(f"/{ASKED}?{ASKED}")).status_code == 404
        await becomes(True, lambda: len(server.logged(message="rejected")) >= 4)
    assert server.log
    for marker in (ASKED, SAID, REFUSED):
        assert marker not in server.written


def test_the_real_engine_keeps_quiet_too(server: Server) -> None:
    asked = question(f"Repeat after me: {ASKED}", tokens=8)
    text = server.post(CHAT, asked).json()["choices"][0]["message"]["content"]
    server.post(CHAT, question(f"{ASKED} " * 500))
    assert ASKED not in server.written
    assert text not in server.written
