"""Spans from a command to the engine: one trace through our client and our server, at a real collector."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends import Catalog
from backends.vectors import EmbeddingBackend
from tests.backends.telemetry.collector import collecting
from tests.backends.wire_server import Reply, WireServer
from tests.helpers.servers import wait_until
from tests.inference.servers import Server
from tests.inference.targets import CHAT, proxy, target_environment


def ask(folder: Path, server: Server, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Ask the server with `python -m backends`."""
    target = target_environment(folder, server.url)
    command = [sys.executable, "-m", "backends", "ask", "remote", "A secret question", "--max-tokens", "9"]
    return subprocess.run(command, env={**os.environ, **variables, **target}, capture_output=True, text=True)


async def test_one_trace_from_the_command_to_the_engine(server: WireServer, tmp_path: Path) -> None:
    with collecting() as collector:
        async with proxy(server, tmp_path / "server", **collector.environment) as ours:
            process = await asyncio.to_thread(ask, tmp_path / "client", ours, collector.environment)
            assert process.returncode == 0, process.stderr
            await asyncio.to_thread(wait_until, lambda: len(collector.named("chat tiny")) >= 3)
            header = server.requests(CHAT)[-1].headers["traceparent"]
            server.on(CHAT, Reply.json({"error": {"message": "no memory"}}, 500))
            assert (await asyncio.to_thread(ask, tmp_path / "client", ours, collector.environment)).returncode == 1
            await asyncio.to_thread(wait_until, lambda: any(span["failed"] for span in collector.spans))
    by_id = {span["id"]: span for span in collector.spans}
    engine_call = by_id[header.split("-")[2]]  # the span whose context the engine got
    request = by_id[engine_call["parent"]]
    command = by_id[request["parent"]]
    assert {span["trace"] for span in (engine_call, request, command)} == {header.split("-")[1]}
    assert [span["service"] for span in (command, request, engine_call)] == [
        "spaceport", "spaceport-inference", "spaceport-inference",
    ]  # fmt: skip
    assert (request["name"], request["http.response.status_code"]) == (f"POST {CHAT}", 200)
    assert (command["gen_ai.operation.name"], command["gen_ai.provider.name"]) == ("chat", "openai")
    assert (command["gen_ai.request.model"], command["gen_ai.request.max_tokens"]) == ("tiny", 9)
    assert (command["gen_ai.usage.input_tokens"], command["gen_ai.usage.output_tokens"]) == (5, 2)
    assert command["gen_ai.response.finish_reasons"] == ["stop"]
    assert command["gen_ai.response.time_to_first_chunk"] > 0
    assert "secret" not in str(collector.spans)
    assert {span["error.type"] for span in collector.spans if span["failed"]} == {"Rejected"}


def test_a_backend_with_spans_embeds_only_if_it_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.telemetry.backend.is_on", lambda: True)
    entries = {"a": {"kind": "openai", "url": "http://a.invalid"}, "any": {"kind": "fallback", "targets": ["a"]}}
    catalog = Catalog(entries, source="catalog.toml")
    assert isinstance(catalog.connect("a"), EmbeddingBackend)
    assert not isinstance(catalog.connect("any"), EmbeddingBackend)


def test_without_a_collector_nothing_is_imported(tmp_path: Path) -> None:
    script = "import sys; from backends import Catalog, telemetry; telemetry.configure('x'); Catalog.load().targets(); "
    script += "print(telemetry.is_on(), [name for name in sys.modules if name.startswith('opentelemetry')])"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=variables)
    assert process.stdout == "False []\n", process.stderr
