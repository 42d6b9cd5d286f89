"""With a key the server answers only those who show it, and never tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.wire_server import WireServer
from tests.inference.servers import question
from tests.inference.targets import before, client

KEY = "marker-of-the-key"
POSTS = ("/v1/chat/completions", "/invocations", "/predict")
WRONG = (
    {},
    {"authorization": "Bearer wrong"},
    {"authorization": f"Bearer {KEY}x"},
    {"authorization": "Basic eA=="},
)


@pytest.mark.parametrize("by_file", [False, True])
async def test_every_route_of_the_model_wants_the_key(wire: WireServer, tmp_path: Path, by_file: bool) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    given = {"SPACEPORT_API_KEY_FILE": str(tmp_path / "key")} if by_file else {"SPACEPORT_API_KEY": KEY}
    async with before(wire, tmp_path / "log", **given) as server, client(server) as caller:
        told = []
        for headers in (*WRONG, {"authorization": b"Bearer \xff\xfe"}, {"x-api-key": KEY}):
            answers = [await caller.post(path, json=question(), headers=headers) for path in POSTS]
            answers.append(await caller.get("/v1/models", headers=headers))
            for answer in answers:
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["x-request-id"]
                assert answer.json()["error"]["code"] == 401
            told += [answer.text for answer in answers]
        right = {"authorization": f"Bearer {KEY}"}
        for path in POSTS:
            answer = await caller.post(path, json=question(), headers=right)
            assert answer.status_code == 200
            told.append(answer.text)
        assert (await caller.get("/v1/models", headers={"authorization": f"bearer {KEY}"})).status_code == 200
        for path in ("/health", "/ready", "/ping", "/metrics"):
            assert (await caller.get(path)).status_code == 200
    assert KEY not in "".join(told)
    assert KEY not in server.written
    assert all(KEY not in str(dict(asked.headers)) for asked in wire.asked)


async def test_a_large_body_without_the_key_is_refused_and_not_broken_off(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_API_KEY=KEY) as server, client(server) as caller:
        answer = await caller.post("/invocations", content=b"x" * 20_000_000)
        assert answer.status_code == 401
