"""Servers that several tests share, because starting one takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.backends.wire_server import WireServer, serving
from tests.inference.servers import Server, model_file, run_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the real model and two slots."""
    model_file()
    with run_server(tmp_path_factory.mktemp("server"), SPACEPORT_PARALLEL=2) as server:
        yield server


@pytest.fixture
async def wire() -> AsyncIterator[WireServer]:
    """A model server with scripted replies."""
    async with serving() as server:
        yield server
