"""The pools of connections: one for each event loop and each network."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from urllib.request import getproxies
from weakref import WeakKeyDictionary

import httpx2

from backends.http.network import Network
from backends.stopwatch import marked

# Common servers close an idle connection after 5 s: ours must let go of it first.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=4.0)


# A connection belongs to the event loop that opened it. Whoever keeps marks gets sockets that stamp.
_Pools = dict[tuple[bool, Network | None], httpx2.AsyncClient]
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pools] = WeakKeyDictionary()


def client(network: Network | None = None) -> httpx2.AsyncClient:
    """The pooled client of the running event loop; whoever keeps marks gets one whose sockets stamp."""
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    stamping = marked()
    found = pools.get((stamping, network))
    if found is None or found.is_closed:
        found = pools[stamping, network] = (
            _over(network, stamping) if network else _stamping() if stamping else _plain()
        )
    return found


async def aclose() -> None:
    """Close the running loop's connections; the next request opens new ones."""
    for found in _pools.pop(asyncio.get_running_loop(), {}).values():
        await found.aclose()


@functools.cache
def tls() -> ssl.SSLContext:
    """The certificates to trust, read once: that takes 50 ms, which the first answer would wait for each time."""
    return httpx2.create_ssl_context()


def _plain() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=tls(), limits=LIMITS, mounts=_direct(_transport()))


def _stamping() -> httpx2.AsyncClient:
    from backends.http.timestamps import StampingTransport

    transport = StampingTransport(verify=tls(), limits=LIMITS)
    if getproxies():  # what goes through a proxy is stamped when it comes through
        return httpx2.AsyncClient(verify=tls(), limits=LIMITS, mounts=_direct(transport))
    return httpx2.AsyncClient(transport=transport)


def _over(network: Network, stamping: bool) -> httpx2.AsyncClient:
    from backends.http.timestamps import StampingTransport

    trusted = network.tls or tls()
    if network.dial or (stamping and not network.proxy):
        return httpx2.AsyncClient(transport=StampingTransport(verify=trusted, limits=LIMITS, dial=network.dial))
    return httpx2.AsyncClient(transport=_transport(trusted, network.proxy))


def _direct(transport: httpx2.AsyncHTTPTransport) -> dict[str, httpx2.AsyncBaseTransport | None]:
    """A proxy from the environment must never see what is said to this machine itself."""
    return dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"), transport)


def _transport(trusted: ssl.SSLContext | None = None, proxy: str | None = None) -> httpx2.AsyncHTTPTransport:
    # Without TCP_NODELAY a request in two writes waits about 40 ms for a delayed ACK. asyncio sets it by
    # itself; other loops may not.
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return httpx2.AsyncHTTPTransport(verify=trusted or tls(), limits=LIMITS, socket_options=nodelay, proxy=proxy)
