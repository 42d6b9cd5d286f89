from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from backends.http.connections import close_connections
from tests.backends.wire_server import WireServer, serving


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    """A wire server; the connections to it are closed before it is."""
    async with serving() as wire:
        yield wire
        await close_connections()
