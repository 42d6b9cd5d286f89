"""Inference servers whose target is a scripted model server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import TIMEOUT, Server, run_server

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"
MODEL_LIST = Reply.json({"data": [{"id": "tiny", "max_model_len": 4096}]})


def event(**delta: str) -> bytes:
    return sse({"choices": [{"index": 0, "delta": delta}]})


def sse(value: Any) -> bytes:
    return b"data: " + (value if isinstance(value, str) else json.dumps(value)).encode() + b"\n\n"


END = [
    sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    sse({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
    sse("[DONE]"),
]
ANSWER = Reply([event(content="Hello "), event(content="you."), *END])
SILENT = Reply(end="hang")
PARTIAL = Reply([event(content="Hello ")], end="hang")
ENDLESS = Reply([event(content="word ")], end="repeat")


def target_environment(folder: Path, url: str, **more: Any) -> dict[str, str]:
    """The environment variables that make the server at `url` the target."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"kind": "openai", "url": url, "model": "tiny", **more}
    path = folder / "catalog.toml"
    path.write_text("[remote]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in entry.items()))
    return {"SPACEPORT_TARGET": "remote", "SPACEPORT_CATALOG": str(path)}


@asynccontextmanager
async def start_server(folder: Path, *, module: str = "inference", **environment: str | float) -> AsyncIterator[Server]:
    """`run_server` for tests that need their event loop meanwhile."""
    process = run_server(folder, module=module, **environment)
    server = await asyncio.to_thread(process.__enter__)
    failure: BaseException | None = None
    try:
        yield server
    except BaseException as error:
        failure = error
        raise
    finally:
        details = (type(failure), failure, failure.__traceback__) if failure else (None, None, None)
        await asyncio.to_thread(exit_context, process, *details)


@asynccontextmanager
async def proxy(wire: WireServer, folder: Path, **environment: str | float) -> AsyncIterator[Server]:
    """A ready inference server in front of `wire`, which answers correctly by default."""
    wire.on(MODELS, MODEL_LIST)
    wire.on(CHAT, ANSWER)
    async with start_server(folder, **target_environment(folder, wire.url), **environment) as server:
        yield server


def exit_context(process: Any, *details: Any) -> None:
    """Exit the context manager in a thread; the caller raises the error that ended the block."""
    try:
        process.__exit__(*details)
    except BaseException as error:
        if error is not details[1]:
            raise


@asynccontextmanager
async def client(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_keepalive_connections=0, max_connections=None)
    async with httpx2.AsyncClient(base_url=server.url, timeout=TIMEOUT, verify=False, limits=limits) as client:
        yield client


async def wait_for_value(expected: Any, read: Any) -> None:
    """Wait until `read()`, called in a thread, returns `expected`."""
    async with asyncio.timeout(TIMEOUT):
        while await asyncio.to_thread(read) != expected:  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.02)
