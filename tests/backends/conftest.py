from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from backends.http import client as http
from tests.backends.wire_server import WireServer, serving


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    """A wire server; the connections to it are closed before it is."""
    async with serving() as wire:
        yield wire
        await http.aclose()
