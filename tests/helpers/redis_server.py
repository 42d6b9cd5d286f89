"""A real Redis server on loopback that a test can fill, stop, pause and start again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import local_databases
from local_databases import RedisServer as RedisServer
from tests.conftest import missing


@contextmanager
def serving_redis(folder: Path) -> Iterator[RedisServer]:
    """Start a Redis server, and kill it at the end."""
    try:
        local_databases.find_redis()
    except local_databases.NotInstalled as error:
        missing(str(error))
    with local_databases.running_redis(folder) as server:
        yield server
