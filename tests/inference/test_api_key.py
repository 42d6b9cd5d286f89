"""With an API key the server answers only requests that carry it, and never reveals it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.wire_server import WireServer
from tests.inference.servers import question
from tests.inference.targets import client, proxy

KEY = "marker-of-the-key"
POSTS = ("/v1/chat/completions", "/invocations", "/predict")
WRONG = (
    {},
    {"authorization": "Bearer wrong"},
    {"authorization": f"Bearer {KEY}x"},
    {"authorization": "Basic eA=="},
)


@pytest.mark.parametrize("by_file", [False, True])
async def test_every_model_route_requires_the_key(wire: WireServer, tmp_path: Path, by_file: bool) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    variables = {"SPACEPORT_API_KEY_FILE": str(tmp_path / "key")} if by_file else {"SPACEPORT_API_KEY": KEY}
    async with proxy(wire, tmp_path / "log", **variables) as server, client(server) as caller:
        texts = []
        for headers in (*WRONG, {"authorization": b"Bearer \xff\xfe"}, {"x-api-key": f"{KEY}x"}):
            answers = [await caller.post(path, json=question(), headers=headers) for path in POSTS]
            answers.append(await caller.get("/v1/models", headers=headers))
            for answer in answers:
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["x-request-id"]
                assert answer.json()["error"]["code"] == 401
            texts += [answer.text for answer in answers]
        for valid in ({"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}):  # the second is Anthropic's
            for path in POSTS:
                answer = await caller.post(path, json=question(), headers=valid)
                assert answer.status_code == 200
                texts.append(answer.text)
        assert (await caller.get("/v1/models", headers={"authorization": f"bearer {KEY}"})).status_code == 200
        for path in ("/health", "/ready", "/ping", "/metrics"):
            assert (await caller.get(path)).status_code == 200
    assert KEY not in "".join(texts)
    assert KEY not in server.output
    assert all(KEY not in str(dict(request.headers)) for request in wire.received_requests)


async def test_large_body_without_the_key_gets_a_response(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_API_KEY=KEY) as server, client(server) as caller:
        answer = await caller.post("/invocations", content=b"x" * 20_000_000)
        assert answer.status_code == 401
