"""Servers that several tests share: a start takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.backends.wire_server import WireServer, serving
from tests.inference.servers import Server, model_file, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real model on two slots."""
    model_file()
    with running(tmp_path_factory.mktemp("server"), SPACEPORT_PARALLEL=2) as server:
        yield server


@pytest.fixture
async def wire() -> AsyncIterator[WireServer]:
    """A model server that replays what the test says."""
    async with serving() as running:
        yield running
