"""A client's connection to the coordinator of its run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from backends.stopwatch import now
from compare.errors import CompareError, PlanError
from compare.measure.clients.coordinator import Coordinator, clock_name, close
from compare.measure.clients.part import Part
from compare.measure.plan import RunPlan
from compare.measure.workloads.workload import Workload

# The coordinator and the other clients may start so much later, in seconds.
PATIENCE, RETRY_SECONDS = 300.0, 0.2
GONE = "The coordinator of the clients has gone."


class Barrier:
    """Where this client waits for the others. `origin` is the start of the run on this machine's clock."""

    def __init__(self, part: Part, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.part = part
        self.origin = 0.0
        self.run = ""
        self._reader, self._writer = reader, writer

    async def join(self, plan: str) -> None:
        """Take part in the run; the others must have the same plan."""
        try:
            async with asyncio.timeout(PATIENCE):
                message = await self._exchange({"client": self.part.index, "plan": plan})
        except TimeoutError:
            raise CompareError("Not all clients came.", "Start as many as --client says.") from None
        # Processes on one machine share its clock. Another machine's clock begins when the message arrives.
        self.origin = message["origin"] if message["clock"] == clock_name() else now()
        self.run = message["run"]

    async def wait(self) -> float:
        """Wait until all clients are here; return the common moment to begin, on this machine's clock."""
        moment: float = self.origin + (await self._exchange({}))["at"]
        await asyncio.sleep(max(0.0, moment - now()))
        return moment

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            self._writer.write(json.dumps(message).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await self._reader.readline() or "{}")
        except (ConnectionError, ValueError) as error:
            raise CompareError(GONE, "Start all clients again.") from error
        if not answer:
            raise CompareError(GONE, "Start all clients again.")
        if "error" in answer:
            raise PlanError(str(answer["error"]), "Start all clients with the same options and files.")
        return answer


@asynccontextmanager
async def open_barrier(
    part: Part, address: str, plan: RunPlan, workload: Workload, *, host: bool
) -> AsyncIterator[Barrier]:
    """Connect to the coordinator at "host:port", which the first client starts if it is to `host` it."""
    name, _, port = address.rpartition(":")
    if not (name and port.isdigit()):
        raise PlanError(f"{address!r} isn't an address.", "Write it like load-0.load:7000.")
    if not (host and part.index == 0):
        async with _connection(part, name, int(port)) as barrier:
            await barrier.join(_digest(part, plan, workload))
            yield barrier
        return
    coordinator = Coordinator(part.count)
    async with coordinator.serving("", int(port)):
        async with _connection(part, "localhost", int(port)) as barrier:
            await barrier.join(_digest(part, plan, workload))
            yield barrier
        await coordinator.wait_until_empty()


@asynccontextmanager
async def _connection(part: Part, host: str, port: int) -> AsyncIterator[Barrier]:
    reader, writer = await _connect(host, port)
    try:
        yield Barrier(part, reader, writer)
    finally:
        await close(writer)


async def _connect(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and try again while there is nobody: the clients of a cluster don't start together."""
    until = now() + PATIENCE
    while True:
        try:
            return await asyncio.open_connection(host, port)
        except OSError as error:
            if now() > until:
                raise CompareError(f"Nobody answers at {host}:{port}.", "Check --meet, and client 0.") from error
        await asyncio.sleep(RETRY_SECONDS)


def _digest(part: Part, plan: RunPlan, workload: Workload) -> str:
    text = json.dumps([part.count, asdict(plan), workload.hash], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
