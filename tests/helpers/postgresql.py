"""A PostgreSQL server of the tests' own: Debian's package, in a folder of its own, on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import local_databases
from local_databases import Postgres as Postgres
from tests.conftest import missing


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server until the block ends."""
    try:
        local_databases.find_postgres()
    except local_databases.NotInstalled as error:
        missing(str(error))
    with local_databases.running_postgres() as server:
        yield server
