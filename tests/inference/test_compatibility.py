"""The checks of `make conformance`, with this project's server in the place of the others."""

from __future__ import annotations

from compatibility.checks import chat as chat_checks
from compatibility.checks.clients import openai_sdk, run_checks
from compatibility.checks.servers import check_server
from compatibility.outcomes import OTHER, OURS
from compatibility.workplace import Server as ConformanceServer
from compatibility.workplace import Target
from tests.inference.servers import Server

CHECKS = {
    "stream": chat_checks.check_stream,
    "stop": chat_checks.check_stop,
    "tool call": chat_checks.check_tools,
    "JSON schema": chat_checks.check_schema,
    "picture": chat_checks.check_picture,
    "unknown model": chat_checks.check_unknown_model,
}


async def test_a_server_is_checked(server: Server) -> None:
    model = server.get("/v1/models").json()["data"][0]["id"]
    target = Target(f"{server.url}/v1", "", model)
    outcomes = await check_server(ConformanceServer(target, target, None), CHECKS)
    for name in ("stream", "stop", "JSON schema", "picture", "unknown model"):
        assert outcomes[name].verdict == "yes", outcomes[name]
    for name, reason in (("tool call", "can't call tools"), ("embeddings", "makes no embeddings")):
        assert (outcomes[name].verdict, outcomes[name].side) == ("no", OTHER)
        assert reason in outcomes[name].seen
    assert outcomes["rerank"].verdict == outcomes["error: wrong key"].verdict == "not tried"


async def test_a_client_is_checked(server: Server) -> None:
    model = server.get("/v1/models").json()["data"][0]["id"]
    target = Target(f"{server.url}/v1", "a-key", model)
    checks = openai_sdk(ConformanceServer(target, target, None))
    outcomes = await run_checks({name: checks[name] for name in ("stream", "error: unknown model", "embeddings")})
    assert [outcome.verdict for outcome in outcomes.values()] == ["yes", "yes", "no"]
    assert outcomes["embeddings"].side == OURS  # a failure that no check explains
