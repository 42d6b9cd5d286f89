"""A gateway and a database that several tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.backends.wire_server import WireServer, serving
from tests.helpers.postgresql import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
async def wire() -> AsyncIterator[WireServer]:
    """A model server with scripted replies."""
    async with serving() as server:
        yield server
