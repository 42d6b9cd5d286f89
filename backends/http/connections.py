"""Connection pools: one for each event loop and each network."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Callable
from urllib.request import getproxies
from weakref import WeakKeyDictionary

import httpx2

from backends.http.network import Network
from backends.http.new_connections import watch_connections
from backends.stopwatch import is_marking

# Common servers close an idle connection after 5 s. The client must close it first.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=4.0)
# A measurement of 256 streams must not open connections again in each of its blocks.
MEASURING_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=1024, keepalive_expiry=4.0)
_PROXIED_HOOKS = {"request": [watch_connections]}

_Pools = dict[tuple[bool, Network | None], httpx2.AsyncClient]
# A connection belongs to the event loop that opened it.
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pools] = WeakKeyDictionary()


def pooled_client(network: Network | None = None) -> httpx2.AsyncClient:
    """Return the running loop's client; while a stopwatch records marks, its sockets record timestamps."""
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    timestamps = is_marking()
    client = pools.get((timestamps, network))
    if client is None or client.is_closed:
        client = pools[timestamps, network] = _new_client(network, timestamps=timestamps)
    return client


async def close_connections() -> None:
    """Close the running loop's connections; the next request opens new ones."""
    for client in _pools.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


@functools.cache
def tls() -> ssl.SSLContext:
    """The trusted certificates, loaded once: loading takes 50 ms, which would delay every first token."""
    return httpx2.create_ssl_context()


def _new_client(network: Network | None, *, timestamps: bool) -> httpx2.AsyncClient:
    if network:
        return _network_client(network, timestamps=timestamps)
    transport = _direct_transport(tls(), timestamps=timestamps)
    if getproxies():  # a proxied connection gets its timestamps after the proxy
        return httpx2.AsyncClient(
            verify=tls(), limits=LIMITS, mounts=_without_proxy(transport), event_hooks=_PROXIED_HOOKS
        )
    return httpx2.AsyncClient(transport=transport)


def _network_client(network: Network, *, timestamps: bool) -> httpx2.AsyncClient:
    context = network.tls or tls()
    if network.proxy and not network.dial:
        return httpx2.AsyncClient(transport=_proxy_transport(context, network.proxy), event_hooks=_PROXIED_HOOKS)
    return httpx2.AsyncClient(transport=_direct_transport(context, timestamps=timestamps, dial=network.dial))


def _direct_transport(
    context: ssl.SSLContext, *, timestamps: bool, dial: Callable[[], socket.socket] | None = None
) -> httpx2.AsyncHTTPTransport:
    from backends.http.timestamps import DirectTransport

    limits = MEASURING_LIMITS if timestamps else LIMITS
    return DirectTransport(verify=context, limits=limits, dial=dial, receive_times=timestamps)


def _without_proxy(transport: httpx2.AsyncHTTPTransport) -> dict[str, httpx2.AsyncBaseTransport | None]:
    """Loopback requests must never go through a proxy from the environment."""
    return dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"), transport)


def _proxy_transport(context: ssl.SSLContext, proxy: str) -> httpx2.AsyncHTTPTransport:
    # Without TCP_NODELAY a request in two writes waits about 40 ms for a delayed ACK. asyncio sets the option;
    # other loops may not.
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return httpx2.AsyncHTTPTransport(verify=context, limits=LIMITS, socket_options=nodelay, proxy=proxy)
