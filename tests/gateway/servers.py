"""Gateways with scripted model servers as targets: in the test's own event loop, or as processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Engine, select

from backends import Catalog
from gateway.app import create_app
from gateway.billing import money
from gateway.database.connect import migrate, open_database
from gateway.database.schema import ledger
from gateway.database.store import Store
from gateway.keys.key import Key, hash_key, new_key
from gateway.service import Gateway
from gateway.settings import Settings
from inference.server import Server as UvicornServer
from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import PREFIXES, TIMEOUT, question
from tests.inference.targets import ANSWER, CHAT

EMBEDDINGS = "/v1/embeddings"
VECTORS = Reply.json(
    {"data": [{"index": 0, "embedding": [0.5, 0.25]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
)
PRICE = "tokens:1/2"
COST = 9_000  # nano-USD of ANSWER, which has 5 input and 2 output tokens


@dataclass(frozen=True)
class Running:
    """A gateway in the test's event loop, and a client without a key."""

    gateway: Gateway
    client: httpx2.AsyncClient
    url: str

    @property
    def store(self) -> Store:
        return self.gateway._store

    async def chat(self, key: str, model: str = "paid", **more: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {key}"}
        return await self.client.post(CHAT, json={"model": model, **question(**more)}, headers=headers)

    async def add_key(self, owner: str = "alice", **more: Any) -> str:
        """Add a key, and wait until the gateway knows it."""
        text = await asyncio.to_thread(add_key, self.store, owner, **more)
        await until(lambda: hash_key(text) in self.gateway.parts.keys._by_hash)
        return text

    async def rows(self, count: int) -> list[dict[str, Any]]:
        """Wait until the ledger has so many rows, and return them."""
        await until(lambda: len(ledger_rows(self.store.engine)) >= count)
        return ledger_rows(self.store.engine)


def add_key(store: Store, owner: str = "alice", *, usd: float | None = None, **more: Any) -> str:
    """Store a key, and return its text."""
    text = new_key()
    budget = None if usd is None else money.from_usd(usd)
    store.add_key(Key(uuid.uuid4().hex, owner, hash_key(text), text[:17], datetime.now(UTC), budget=budget, **more))
    return text


async def until(condition: Any, seconds: float = TIMEOUT) -> None:
    """Poll a condition until it is true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the state of a thread or a database
            await asyncio.sleep(0.02)


def write_catalog(folder: Path, url: str, entries: str = "") -> Path:
    """Write a catalogue with the targets paid, other (no price), away (not configured), vectors (no chat), and more."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"kind": "openai", "url": url, "model": "tiny"}
    away, vectors = {**entry, "url": "${NO_SUCH_VARIABLE}"}, {**entry, "task": "embed"}
    targets = {"paid": {**entry, "price": PRICE}, "other": entry, "away": away, "vectors": vectors}
    lines = []
    for name, values in targets.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    catalog = folder / "catalog.toml"
    catalog.write_text("\n".join([*lines, entries]))
    return catalog


@asynccontextmanager
async def gateway(wire: WireServer, folder: Path, entries: str = "", **more: Any) -> AsyncIterator[Running]:
    """A ready gateway in front of `wire`, which answers correctly by default; it drains at the end.

    It has no cache unless a test asks for one: most tests send the same question again.
    """
    wire.on(CHAT, ANSWER)
    wire.on(EMBEDDINGS, VECTORS)
    catalog = Catalog.load(write_catalog(folder, wire.url, entries))
    settings = replace(Settings(data=str(folder / "data"), refresh_seconds=0.1, host="127.0.0.1", cache_mb=0.0), **more)
    service = Gateway(settings, catalog)
    listener = socket.create_server(("127.0.0.1", 0))
    server = UvicornServer(service, create_app(service), settings)
    serving = asyncio.create_task(server.serve([listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    limits = httpx2.Limits(max_keepalive_connections=0, max_connections=None)
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT, verify=False, limits=limits) as client:
            await until(lambda: service.phase.value == "ready" or serving.done())
            yield Running(service, client, url)
    finally:
        server.handle_exit(signal.SIGTERM, None)
        await serving
        service.close()
    assert server.failure is None


def command(*arguments: str, variables: dict[str, str], status: int = 0) -> str:
    """Run a command of the gateway in a process, and return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    process = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], env=inherited | variables, capture_output=True, text=True
    )
    assert process.returncode == status, process.stdout + process.stderr
    return process.stdout + process.stderr


def open_store(folder: Path, url: str | None = None) -> Store:
    """A store with the newest schema: in a SQLite file, or at the URL."""
    engine = open_database(Settings(data=str(folder / "data"), database_url=url))
    migrate(engine)
    return Store(engine)


def ledger_rows(engine: Engine) -> list[dict[str, Any]]:
    """All rows of the ledger, the oldest first."""
    with engine.begin() as connection:
        return [dict(row) for row in connection.execute(select(ledger).order_by(ledger.c.started_at)).mappings()]
