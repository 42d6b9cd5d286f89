"""The gateway with a real PostgreSQL and Redis in front of three targets, and what its ledger reports."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

import httpx2

from compatibility import servers
from compatibility.environments import run
from compatibility.workplace import Workplace
from local_databases import Postgres, RedisServer, running_postgres, running_redis

# A model in the gateway's own process, llama.cpp's server, and one that cuts its texts in the middle of an event.
LAPTOP, ENGINE, SCRIPTED = TARGETS = ("laptop", "llama.cpp", "scripted")
PRICES = {
    LAPTOP: (Decimal("0.1"), Decimal("0.2")),
    ENGINE: (Decimal(1), Decimal(2)),
    SCRIPTED: (Decimal(5), Decimal(9)),
}
KINDS, MILLION = ("input", "output"), 1_000_000
TIMEOUT = httpx2.Timeout(120)
SECONDS = 60  # until a change has reached the gateway, or a row the ledger


@dataclass(frozen=True)
class GatewayStack:
    """A running gateway; its URL ends with /v1."""

    url: str
    postgres: Postgres
    redis: RedisServer
    place: Workplace
    variables: Mapping[str, str]

    @cached_property
    def http(self) -> httpx2.Client:
        return httpx2.Client(timeout=TIMEOUT, trust_env=False)

    def add_key(self, owner: str, *targets: str) -> str:
        """Add a key for these targets with a budget, and wait until the gateway takes it."""
        options = ["--targets", ",".join(targets), "--budget", "5", "--requests", "100000"]
        key = self.command("keys", "add", owner, *options).split()[0]
        headers = {"authorization": f"Bearer {key}"}
        wait_for(lambda: self.http.get(f"{self.url}/models", headers=headers).status_code == 200)
        return key

    def report(self, group: str) -> dict[str, dict[str, str]]:
        """Return the lines of the ledger's report by their first column."""
        lines = csv.DictReader(self.command("report", "--by", group, "--csv").splitlines())
        return {line[group]: line for line in lines}

    def metric(self, name: str) -> float:
        """Return the value of a metric without labels."""
        lines = self.http.get(f"{self.url.removesuffix('/v1')}/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"spaceport_{name} "))

    def command(self, *arguments: str) -> str:
        """Return what a command of the gateway prints."""
        return run([sys.executable, "-m", "gateway", *arguments], self.variables)


@dataclass
class Tally:
    """What a client counted of its own requests; the ledger must have the same."""

    owner: str
    answers: Counter[str] = field(default_factory=Counter)
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: int = 0

    def add(self, target: str, input_tokens: int, output_tokens: int) -> None:
        """Count an answer with the tokens that its client read."""
        self.answers[target] += 1
        self.tokens[target, "input"] += input_tokens
        self.tokens[target, "output"] += output_tokens

    @property
    def cost(self) -> Decimal:
        """The price of all answers in USD."""
        prices = {(name, kind): price for name, pair in PRICES.items() for kind, price in zip(KINDS, pair, strict=True)}
        return sum((prices[each] * count for each, count in self.tokens.items()), Decimal(0)) / MILLION

    def expected(self) -> dict[str, Decimal]:
        """Return the columns of the owner's line of the report."""
        ok = self.answers.total()
        counts = {"requests": ok + self.refused, "ok": ok, "refused": self.refused, "errors": 0, "cancelled": 0}
        counts |= {f"{kind}_tokens": sum(self.tokens[name, kind] for name in TARGETS) for kind in KINDS}
        return {name: Decimal(value) for name, value in counts.items()} | {"usd": self.cost}

    def check(self, stack: GatewayStack) -> str:
        """Compare with the ledger's report, which has the last row a moment after its answer."""
        expected = self.expected()

        def billed() -> dict[str, Decimal]:
            line = stack.report("owner").get(self.owner, {})
            return {name: Decimal(line.get(name, "-1")) for name in expected}

        wait_for(lambda: billed()["requests"] >= expected["requests"])
        assert billed() == expected, f"the ledger has {billed()}, the client counted {expected}"
        return f"{expected['requests']} requests, {self.cost.normalize():f} USD"


@contextmanager
def gateway(place: Workplace) -> Iterator[GatewayStack]:
    """Run the gateway with everything that it needs."""
    scripted = [sys.executable, "-m", "compare.conformance.scripted_server", "PORT"]
    with (
        running_postgres() as postgres,
        running_redis(place.folder) as redis,
        servers.llama_cpp(place) as engine,
        place.process("scripted", scripted, {}, "/v1/models") as scripted_url,
    ):
        assert engine.chat
        entries: dict[str, dict[str, object]] = {
            LAPTOP: {"kind": "embedded"},
            ENGINE: {"kind": "openai", "url": engine.chat.url, "api_key": engine.chat.key, "model": engine.chat.model},
            SCRIPTED: {"kind": "openai", "url": scripted_url, "model": "split"},
        }
        variables = {
            "SPACEPORT_CATALOG": _write_catalog(place, entries),
            "SPACEPORT_DATABASE_URL": postgres.new_database(),
            "SPACEPORT_REDIS_URL": redis.url,
            "SPACEPORT_DATA": str(place.folder / "gateway"),
            "SPACEPORT_HOST": "127.0.0.1",
        }
        command = [sys.executable, "-m", "gateway", "serve"]
        with place.process("gateway", command, {**variables, "SPACEPORT_PORT": "PORT"}, "/ready") as url:
            yield GatewayStack(url, postgres, redis, place, variables)


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Poll a condition until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.2)


def _write_catalog(place: Workplace, entries: Mapping[str, Mapping[str, object]]) -> str:
    lines = []
    for name, entry in entries.items():
        price = "tokens:{}/{}".format(*PRICES[name])
        lines += [f'["{name}"]', *(f"{key} = {json.dumps(value)}" for key, value in {**entry, "price": price}.items())]
    path = place.folder / "gateway.toml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)
