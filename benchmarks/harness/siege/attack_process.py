"""The hostile guests, as a process of their own: `cd benchmarks && python -m harness.siege.attack_process URL`.

It has the lowest priority (nice 19). Attackers bring processors of their own; on one machine, theirs would otherwise be
missing for the page and be counted against it. Each guest starts at most `--rate` actions per second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx2

from harness.siege import connection_attacks, event_attacks
from harness.siege.guest import Guest, Page
from ui.middleware.connections import allow_descriptors

Kind = Callable[[Guest], Awaitable[None]]
KINDS: dict[str, Kind] = {kind.__name__: kind for kind in (*event_attacks.KINDS, *connection_attacks.KINDS)}
DESCRIPTORS = 10_000


class Attack:
    """Counts the actions of each kind by their outcome."""

    def __init__(self, seconds: float, rate: float) -> None:
        self.counts = {name: Counter[str]() for name in KINDS}
        self._deadline = time.perf_counter() + seconds
        self._pause = 1 / rate

    async def run(self, name: str, guest: Guest) -> None:
        """Repeat the actions of a guest until the end."""
        while (left := self._deadline - time.perf_counter()) > 0:
            next_action = asyncio.create_task(asyncio.sleep(self._pause))
            try:
                async with asyncio.timeout(left):
                    await KINDS[name](guest)
                    outcome = "complete"
            except httpx2.HTTPStatusError as error:
                outcome = str(error.response.status_code)
            except TimeoutError:
                outcome = "unfinished"
            except (httpx2.TransportError, OSError) as error:
                outcome = type(error).__name__
            self.counts[name][outcome] += 1
            await next_action


async def attack(page: Page, kinds: list[str], guests: int, addresses: int, seconds: float, rate: float) -> Attack:
    """Let guests of all kinds in turn come from these many addresses, and wait for the end."""
    attacking = Attack(seconds, rate)
    async with asyncio.TaskGroup() as group:
        for number in range(guests):
            guest = Guest(page, address_of(number % addresses))
            group.create_task(attacking.run(kinds[number % len(kinds)], guest))
        print("ready", flush=True)
    return attacking


def address_of(number: int) -> str:
    """Return an address of this machine that isn't the honest visitor's."""
    return f"127.0.2.{number + 1}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--guests", type=int, default=64)
    parser.add_argument("--addresses", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2, help="actions per second of a guest, at most (2)")
    options = parser.parse_args()
    os.nice(19)
    allow_descriptors(DESCRIPTORS)
    page = Page.from_config(options.url, httpx2.get(f"{options.url}/config", trust_env=False).json())
    kinds = options.kinds.split(",")
    attacking = asyncio.run(attack(page, kinds, options.guests, options.addresses, options.seconds, options.rate))
    print(json.dumps({name: counts for name, counts in attacking.counts.items() if counts}))


if __name__ == "__main__":
    main()
