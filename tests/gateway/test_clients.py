"""Real clients with different keys at three targets, and a report that has what each of them counted."""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.billing import money
from gateway.commands import command
from tests.backends.wire_server import WireServer, serving
from tests.conftest import ROOT
from tests.gateway.servers import COST, Running, gateway
from tests.inference.servers import question
from tests.inference.targets import ANSWER, CHAT

PRICES = {"dear": "tokens:10/20", "free": "tokens:0/0"}  # besides "paid"


@pytest.fixture
async def entries() -> AsyncIterator[str]:
    """Two targets for the catalogue, each with a model server of its own."""
    lines = []
    async with AsyncExitStack() as stack:
        for name, price in PRICES.items():
            server = await stack.enter_async_context(serving())
            server.on(CHAT, ANSWER)
            entry = {"kind": "openai", "url": server.url, "model": "tiny", "price": price}
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
        yield "\n".join(lines)


async def test_the_report_adds_up_for_clients_with_different_keys(
    wire: WireServer, entries: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(wire, tmp_path, entries, cache_mb=1.0) as running:
        alice = await running.add_key("alice", targets=("paid", "dear"), usd=1)
        carol = await running.add_key("carol", targets=("paid", "free"), requests_per_minute=9)
        await use_the_sdk(running, alice)
        await ask_on_the_command_line(running, carol, tmp_path)
        await running.rows(8)
    monkeypatch.setenv("SPACEPORT_DATA", str(tmp_path / "data"))
    by_owner, by_target, by_day = (report(capsys, group) for group in ("owner", "target", "day"))
    counts = ("requests", "ok", "refused", "from_cache", "input_tokens", "output_tokens")
    assert {name: [int(line[each]) for each in counts] for name, line in by_owner.items()} == {
        "alice": [4, 3, 1, 1, 15, 6],
        "carol": [4, 3, 1, 1, 15, 6],
    }
    assert {name: Decimal(line["usd"]) * money.NANO for name, line in by_owner.items()} == {
        "alice": COST + 10 * COST,
        "carol": COST,
    }
    assert {name: int(line["requests"]) for name, line in by_target.items()} == {
        "": 2,  # those that were refused
        "paid": 3,
        "dear": 1,
        "free": 2,
    }
    for name in (*counts, "usd"):
        sums = {sum(Decimal(line[name]) for line in table.values()) for table in (by_owner, by_target, by_day)}
        assert len(sums) == 1, name


async def use_the_sdk(running: Running, key: str) -> None:
    """An answer as a whole, again from the cache, one as a stream, and one that the key may not have."""
    from openai import AsyncOpenAI, PermissionDeniedError  # a second in each test process that collects this module

    async with AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0) as client:
        assert [model.id async for model in client.models.list()] == ["paid", "dear"]
        for _ in range(2):
            answer = await client.chat.completions.create(model="paid", **question())
            assert answer.choices[0].message.content == "Hello you."
        stream = await client.chat.completions.create(model="dear", stream=True, **question())
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello you."
        with pytest.raises(PermissionDeniedError, match="may not use free"):
            await client.chat.completions.create(model="free", **question())


async def ask_on_the_command_line(running: Running, key: str, folder: Path) -> None:
    """The same with `python -m backends ask`, which has the gateway as a server in its own catalogue."""
    access = {"kind": "openai", "url": f"{running.url}/v1", "api_key": key}
    entries = {name: {**access, "model": name} for name in ("free", "paid", "dear")}
    catalog = folder / "ask.toml"
    catalog.write_text(
        "\n".join(
            line
            for name, entry in entries.items()
            for line in (f"[{name}]", *(f"{each} = {json.dumps(value)}" for each, value in entry.items()))
        )
    )

    async def ask(target: str) -> Any:
        arguments = ("ask", target, "Hi", "--json", "--temperature", "0", "--catalog", str(catalog))
        command = [sys.executable, "-m", "backends", *arguments]
        return await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    free, paid, dear = await asyncio.gather(*map(ask, entries))
    again = await ask("free")
    for process in (free, paid, again):
        answer = json.loads(process.stdout)
        assert (answer["answer"], answer["usage"]["input_tokens"]) == ("Hello you.", 5)
    assert dear.returncode == 1
    assert "The key may not use dear." in dear.stderr


def report(capsys: pytest.CaptureFixture[str], group: str) -> dict[str, dict[str, str]]:
    """The lines of `python -m gateway report --csv` by their first column."""
    assert command.run(["report", "--by", group, "--csv"]) == 0
    return {line[group]: line for line in csv.DictReader(capsys.readouterr().out.splitlines())}
