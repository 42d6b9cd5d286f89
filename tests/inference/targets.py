"""A server of known behaviour as the target beside the inference server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.backends.wire_server import Reply, WireServer
from tests.inference.servers import PATIENCE, Server, running

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"
LISTED = Reply.json({"data": [{"id": "tiny", "max_model_len": 4096}]})


def event(**delta: str) -> bytes:
    return sent({"choices": [{"index": 0, "delta": delta}]})


def sent(value: Any) -> bytes:
    return b"data: " + (value if isinstance(value, str) else json.dumps(value)).encode() + b"\n\n"


END = [
    sent({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    sent({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
    sent("[DONE]"),
]
ANSWER = Reply([event(content="Hello "), event(content="you."), *END])
SILENT = Reply(end="hang")
BEGUN = Reply([event(content="Hello ")], end="hang")
ENDLESS = Reply([event(content="word ")], end="repeat")


def catalogue(folder: Path, url: str, **more: Any) -> dict[str, str]:
    """The environment that names the server at `url` as the target."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"kind": "openai", "url": url, "model": "tiny", **more}
    path = folder / "catalog.toml"
    path.write_text("[beside]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in entry.items()))
    return {"SPACEPORT_TARGET": "beside", "SPACEPORT_CATALOG": str(path)}


@asynccontextmanager
async def started(folder: Path, **environment: str | float) -> AsyncIterator[Server]:
    """`running` for a test whose loop has other things to do meanwhile."""
    process = running(folder, **environment)
    server = await asyncio.to_thread(process.__enter__)
    failure: BaseException | None = None
    try:
        yield server
    except BaseException as error:
        failure = error
        raise
    finally:
        told = (type(failure), failure, failure.__traceback__) if failure else (None, None, None)
        await asyncio.to_thread(leave, process, *told)


@asynccontextmanager
async def before(wire: WireServer, folder: Path, **environment: str | float) -> AsyncIterator[Server]:
    """The inference server before `wire`, ready; `wire` answers well until the test says otherwise."""
    wire.on(MODELS, LISTED)
    wire.on(CHAT, ANSWER)
    async with started(folder, **catalogue(folder, wire.url), **environment) as server:
        yield server


def leave(process: Any, *told: Any) -> None:
    """Leave the context in a thread; the error that it was left with is raised by whoever called."""
    try:
        process.__exit__(*told)
    except BaseException as error:
        if error is not told[1]:
            raise


@asynccontextmanager
async def client(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    none_kept = httpx2.Limits(max_keepalive_connections=0, max_connections=None)
    async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE, verify=False, limits=none_kept) as client:
        yield client


async def becomes(wanted: Any, look: Any, seconds: float = PATIENCE) -> None:
    """Wait until what `look()` gives, in a thread, is `wanted`."""
    async with asyncio.timeout(seconds):
        while await asyncio.to_thread(look) != wanted:  # noqa: ASYNC110 - it is another process's state
            await asyncio.sleep(0.02)
