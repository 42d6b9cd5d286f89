"""The ports of servers that tests and scripts start."""

from __future__ import annotations

import socket

import pytest

import local_server
from local_server import PORTS, free_port


def test_a_free_port_is_none_that_the_system_gives_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", free_port())) as mine:
        assert other.getsockname()[1] not in PORTS
        taken = int(mine.getsockname()[1])
        assert taken in PORTS
        choices = iter([taken, free := free_port()])
        monkeypatch.setattr(local_server.secrets, "choice", lambda ports: next(choices))
        assert free_port() == free
