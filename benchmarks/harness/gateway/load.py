"""Gateways with their databases for measurements: alone, and two that share a Redis and a PostgreSQL."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.tables import free_port

ROOT = Path(__file__).parents[3]
MODEL, PRICE = "bench", "tokens:1/2"
ALONE, SHARED = "one: memory, SQLite", "two: Redis, PostgreSQL"
# A process of its own adds the keys: here, `gateway` is the name of a benchmark.
ADD_KEYS = """
import json, sys, uuid
from datetime import UTC, datetime
from gateway.database.connect import migrate, open_database
from gateway.database.store import Store
from gateway.keys.key import Key, hash_key, new_key
from gateway.settings import from_environment

engine = open_database(from_environment())
migrate(engine)
for owner, limit in json.loads(sys.argv[1]).items():
    text, now = new_key(), datetime.now(UTC)
    Store(engine).add_key(Key(uuid.uuid4().hex, owner, hash_key(text), text[:17], now, requests_per_minute=limit))
    print(text)
"""


@dataclass(frozen=True)
class Gateways:
    """Gateways that share a ledger; `variables` are the settings that they share."""

    ports: Sequence[int]
    variables: Mapping[str, str]

    def add_keys(self, limits: Mapping[str, int]) -> dict[str, str]:
        """Add a key for each owner with so many requests a minute, and return the keys by their owners."""
        return dict(zip(limits, self._python("-c", ADD_KEYS, json.dumps(limits)).split(), strict=True))

    def report(self) -> dict[str, dict[str, str]]:
        """Return the ledger's report by owner."""
        lines = csv.DictReader(self._python("-m", "gateway", "report", "--by", "owner", "--csv").splitlines())
        return {line["owner"]: line for line in lines}

    def _python(self, *arguments: str) -> str:
        environment = {**os.environ, **self.variables}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


@contextmanager
def gateways(stack: str, model: int, folder: Path) -> Iterator[Gateways]:
    """Run a gateway, or two with their databases, in front of the model at this port."""
    sys.path.append(str(ROOT / "scripts"))
    from local_databases import running_postgres, running_redis

    folder.mkdir()
    catalog = folder / "catalog.toml"
    entry = f'kind = "openai"\nurl = "http://127.0.0.1:{model}/v1"\nmodel = "{MODEL}"\nprice = "{PRICE}"\n'
    catalog.write_text(f"[{MODEL}]\n{entry}")
    names = ["1"] if stack == ALONE else ["1", "2"]
    variables = {"SPACEPORT_CATALOG": str(catalog), "SPACEPORT_DATA": str(folder / "1")}
    with ExitStack() as exits:
        if stack == SHARED:
            variables["SPACEPORT_REDIS_URL"] = exits.enter_context(running_redis(folder)).url
            variables["SPACEPORT_DATABASE_URL"] = exits.enter_context(running_postgres()).new_database()
        ports = [exits.enter_context(_gateway(folder / name, variables)) for name in names]
        yield Gateways(ports, variables)


@contextmanager
def _gateway(data: Path, variables: Mapping[str, str]) -> Iterator[int]:
    from local_server import running_server

    port = free_port()
    own = {"SPACEPORT_DATA": str(data), "SPACEPORT_PORT": str(port), "SPACEPORT_HOST": "127.0.0.1"}
    environment = {**os.environ, **variables, **own, "SPACEPORT_LOG_LEVEL": "warning"}
    command, url, log = [sys.executable, "-m", "gateway", "serve"], f"http://127.0.0.1:{port}/ready", f"{data}.log"
    with running_server(command, url, Path(log), environment=environment, seconds=180, folder=ROOT):
        yield port
