"""The sockets that servers listen on, and the sentence for a port that they can't have."""

from __future__ import annotations

import socket

import pytest

from backends import NotConfigured
from backends.serving.listening import check_port, listen
from tests.conftest import missing


def test_a_port_in_use_is_a_sentence_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(NotConfigured, match=f"Port {port} is already in use") as caught:
            listen("127.0.0.1", port, setting="SPACEPORT_PORT")
    assert "set SPACEPORT_PORT to another port" in caught.value.remedy
    check_port("127.0.0.1", port, setting="--port")
    check_port("127.0.0.1", port, setting="--port")  # the first check keeps nothing open


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(NotConfigured, match=f"{host} isn't an address of this machine") as caught:
        listen(host, 0, setting="--port")
    assert "0.0.0.0" in caught.value.remedy


def test_both_families_at_once() -> None:
    if not socket.has_dualstack_ipv6():
        missing("IPv6 on this machine")
    [listener] = listen("::", 0, setting="--port")
    with listener:
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, port), 5):
                listener.accept()[0].close()
