"""The time of an answer that the gateway has stored, from the request's first byte to the answer's last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import quantiles

from harness.gateway.limits import CHAT
from harness.gateway.load import MODEL, Gateways
from harness.raw_http import Connection, connect, post

WARM_UP = 50


@dataclass(frozen=True, slots=True)
class HitTimes:
    """Milliseconds of the answers to equal requests."""

    p50_ms: float
    p95_ms: float


async def measure(gateways: Gateways, requests: int) -> Mapping[str, HitTimes]:
    """Ask for one answer as a whole and as a stream, again and again; and for the health, which needs nothing."""
    key = (await asyncio.to_thread(gateways.add_keys, {"hits": 1_000_000}))["hits"]
    await asyncio.sleep(3)
    times = {}
    async with connect(gateways.ports[0]) as connection:
        times["GET /health"] = await _time(connection, b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", requests)
        for name, stream in (("whole", False), ("streamed", True)):
            body = {"model": MODEL, "messages": [{"role": "user", "content": "Count."}], "temperature": 0}
            request = post(CHAT, key, {**body, "stream": stream})
            await connection.send(request)  # the first one is a miss
            times[name] = await _time(connection, request, requests, source="hit")
    return times


async def _time(connection: Connection, request: bytes, requests: int, source: str | None = None) -> HitTimes:
    seconds = []
    for _ in range(WARM_UP + requests):
        started = time.perf_counter()
        answer = await connection.send(request)
        seconds.append(time.perf_counter() - started)
        found = answer.headers.get("x-spaceport-cache")
        assert (answer.status, found) == (200, source), f"{answer.status}, {found}"
    cuts = quantiles(seconds[WARM_UP:], n=20)
    return HitTimes(cuts[9] * 1e3, cuts[18] * 1e3)
