"""The checks of the gateway image, against the gateway as a process instead of a container."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.checks import gateway_contract
from containers.checks.gateway_contract import CATALOG, PORT, TARGET
from containers.checks.image_checks import CheckFailed
from tests.gateway.servers import command
from tests.helpers.servers import free_port
from tests.inference.servers import Server, launch_server


class Process:
    """A server's process with what the checks use of a container."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.attrs: dict[str, Any] = {}

    def stop(self, timeout: int) -> None:
        self._server.signal(signal.SIGTERM)
        self._server.wait(timeout)

    def reload(self) -> None:
        self.attrs = {"State": {"ExitCode": self._server.process.poll()}}


@pytest.fixture(scope="module")
def target() -> Iterator[int]:
    """The port of the contract's target."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", TARGET.replace(str(PORT), str(port))], stderr=subprocess.DEVNULL)
    yield port
    process.kill()
    process.wait()


def test_a_gateway_that_works_passes(target: int, tmp_path: Path) -> None:
    catalog = tmp_path / "backends.toml"
    catalog.write_text(CATALOG.replace(str(PORT), str(target)))
    variables = {"SPACEPORT_DATA": str(tmp_path / "data"), "SPACEPORT_CATALOG": str(catalog)}
    with launch_server(tmp_path / "log", module="gateway", **variables) as server:
        server.wait_ready()
        assert gateway_contract.check_refusals(server.url) == "401 without a key and with a wrong one"
        with pytest.raises(CheckFailed, match="the key isn't known"):
            gateway_contract.check_targets(server.url, "sk-spaceport-wrong", seconds=0.1)
        key = command("keys", "add", "check", variables=variables).splitlines()[0]
        assert gateway_contract.check_targets(server.url, key) == "scripted"
        assert gateway_contract.check_answer(server.url, key) == "'one two three'"
        passed = gateway_contract.check_drain(Process(server), server.url, key)
    assert passed == "'one two three', exit status 0"
