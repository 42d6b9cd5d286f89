"""Many keys with a limit each: who gets more or less than that, and does the ledger have a row for each request?"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from harness.gateway.load import ALONE, MODEL, Gateways
from harness.raw_http import connect, post

CHAT = "/v1/chat/completions"
MINUTE, BATCH = 60, 20  # seconds; keys that ask at once
FLUSH_SECONDS = 30  # until the last row is in the ledger


@dataclass(frozen=True, slots=True)
class LimitsResult:
    """What came of all requests; `largest_error` is the farthest from its limit that a key was, as a share of it."""

    keys: int
    requests: int
    answers: int
    other_statuses: int
    largest_error: float
    ledger_rows: int
    ledger_differences: int  # keys whose answers and refusals the ledger counts differently
    slowest_batch_seconds: float
    requests_per_second: float

    @property
    def is_exact(self) -> bool:
        """Whether each request has its row, and each key what it may."""
        return self.ledger_rows == self.requests and not self.ledger_differences and not self.other_statuses


def limits_of(keys: int, requests: int) -> dict[str, int]:
    """Return a limit for each owner, from a twentieth to four tenths of its requests."""
    least, most = requests // 20, requests * 4 // 10
    return {f"owner {at}": least + (most - least) * at // max(1, keys - 1) for at in range(keys)}


async def measure(gateways: Gateways, stack: str, keys: int, requests: int) -> LimitsResult:
    """Let each key send its requests within a minute, to all gateways in turn."""
    limits = limits_of(keys, requests)
    texts = await asyncio.to_thread(gateways.add_keys, limits)
    await asyncio.sleep(3)  # a gateway reads the keys again each second
    counts: dict[str, dict[int, int]] = {}
    batch_seconds = []
    for start in range(0, keys, BATCH):
        if stack == ALONE:  # its windows begin with the minutes of the clock
            await asyncio.sleep(MINUTE - time.time() % MINUTE)
        started = time.perf_counter()
        owners = list(itertools.islice(texts, start, start + BATCH))
        results = await asyncio.gather(*(_spend(gateways.ports, texts[owner], requests) for owner in owners))
        counts |= zip(owners, results, strict=True)
        batch_seconds.append(time.perf_counter() - started)
        print(f"  {start + len(owners)} keys, {batch_seconds[-1]:.0f} s", flush=True)
    if max(batch_seconds) >= MINUTE:
        raise SystemExit("error: a batch took longer than a minute, so its keys may have more than their limits")
    return await _compare(gateways, limits, requests, counts, batch_seconds)


async def _spend(ports: Sequence[int], key: str, requests: int) -> dict[int, int]:
    """Send the requests of a key one after the other, and return how many answers had each status."""
    counts: dict[int, int] = {}
    async with AsyncExitStack() as exits:
        connections = [await exits.enter_async_context(connect(port)) for port in ports]
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 8}
        request = post(CHAT, key, body)
        for _, connection in zip(range(requests), itertools.cycle(connections), strict=False):
            status = (await connection.send(request)).status
            counts[status] = counts.get(status, 0) + 1
    return counts


async def _compare(
    gateways: Gateways,
    limits: Mapping[str, int],
    requests: int,
    counts: Mapping[str, Mapping[int, int]],
    batch_seconds: Sequence[float],
) -> LimitsResult:
    total = requests * len(limits)
    deadline = time.monotonic() + FLUSH_SECONDS
    while True:
        report = await asyncio.to_thread(gateways.report)
        rows = sum(int(line["requests"]) for line in report.values())
        if rows >= total or time.monotonic() > deadline:
            break
    answers = {owner: count.get(200, 0) for owner, count in counts.items()}
    differences = sum(
        (int(report[owner]["ok"]), int(report[owner]["refused"])) != (answers[owner], requests - answers[owner])
        for owner in limits
    )
    others = sum(count for each in counts.values() for status, count in each.items() if status not in (200, 429))
    return LimitsResult(
        keys=len(limits),
        requests=total,
        answers=sum(answers.values()),
        other_statuses=others,
        largest_error=max(abs(answers[owner] / limit - 1) for owner, limit in limits.items()),
        ledger_rows=rows,
        ledger_differences=differences,
        slowest_batch_seconds=max(batch_seconds),
        requests_per_second=total / sum(batch_seconds),
    )
