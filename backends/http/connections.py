"""Connection pools: one for each event loop and each network."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import httpx2

from backends.http.network import Network
from backends.stopwatch import is_marking

_Pools = dict[tuple[bool, Network | None], httpx2.AsyncClient]
# A connection belongs to the event loop that opened it.
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pools] = WeakKeyDictionary()


def pooled_client(network: Network | None = None) -> httpx2.AsyncClient:
    """Return the running loop's client; while a stopwatch records marks, its sockets record timestamps."""
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    timestamps = is_marking()
    client = pools.get((timestamps, network))
    if client is None or client.is_closed:
        transport = _transport(network, timestamps=timestamps)
        client = pools[timestamps, network] = httpx2.AsyncClient(transport=transport)
    return client


async def close_connections() -> None:
    """Close the running loop's connections; the next request opens new ones."""
    for client in _pools.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


def _transport(network: Network | None, *, timestamps: bool) -> httpx2.AsyncBaseTransport:
    from backends.http.certificates import tls
    from backends.http.routes import EnvironmentTransport, ProxiedTransport, direct_transport

    if network and network.dial:
        return direct_transport(network.tls or tls(), timestamps=timestamps, dial=network.dial)
    if network and network.proxy:
        return ProxiedTransport(network.tls or tls(), network.proxy)
    return EnvironmentTransport(network.tls if network else None, timestamps=timestamps)
