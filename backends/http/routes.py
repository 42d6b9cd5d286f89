"""The transport that takes each request to its server: directly, or through the proxy that the environment names."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial

import httpx2

from backends.http.certificates import no_certificates, tls
from backends.http.new_connections import watch_connections
from backends.http.proxies import NO_SOCKS, environment_proxy
from backends.http.timestamps import DirectTransport

# Common servers close an idle connection after 5 s. The client must close it first.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=4.0)
# A measurement of 256 streams must not open connections again in each of its blocks.
MEASURING_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=1024, keepalive_expiry=4.0)


class ProxiedTransport(httpx2.AsyncHTTPTransport):
    """Connections through a proxy; they have timestamps of what comes from the proxy only."""

    def __init__(self, context: ssl.SSLContext, proxy: str) -> None:
        # Without TCP_NODELAY a request in two writes waits about 40 ms for a delayed ACK. asyncio sets the option;
        # other loops may not.
        nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        super().__init__(verify=context, limits=LIMITS, socket_options=nodelay, proxy=proxy)
        self._errors = _socks_errors if proxy.startswith("socks") else contextlib.nullcontext

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        watch_connections(request)
        with self._errors():
            return await super().handle_async_request(request)


class EnvironmentTransport(httpx2.AsyncBaseTransport):
    """Takes each request to its server as the environment says; `context` replaces this machine's certificates."""

    def __init__(self, context: ssl.SSLContext | None = None, *, timestamps: bool = False) -> None:
        self._context, self._timestamps = context, timestamps
        self._routes: dict[tuple[str, str, int | None], httpx2.AsyncHTTPTransport] = {}
        self._transports: dict[tuple[bool, str | None], httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        server = url.scheme, url.host, url.port
        transport = self._routes.get(server)
        if transport is None:
            transport = self._routes[server] = self._transport(*server)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    def _transport(self, scheme: str, host: str, port: int | None) -> httpx2.AsyncHTTPTransport:
        proxy = environment_proxy(scheme, host, port)
        if proxy:
            proxy.check()
        needs_tls = scheme == "https" or (proxy is not None and proxy.url.startswith("https"))
        key = needs_tls, proxy.url if proxy else None
        if key not in self._transports:
            context = (self._context or tls()) if needs_tls else no_certificates()
            direct = partial(direct_transport, context, timestamps=self._timestamps)
            self._transports[key] = ProxiedTransport(context, proxy.url) if proxy else direct()
        return self._transports[key]


def direct_transport(
    context: ssl.SSLContext, *, timestamps: bool, dial: Callable[[], socket.socket] | None = None
) -> httpx2.AsyncHTTPTransport:
    """Connections without a proxy."""
    limits = MEASURING_LIMITS if timestamps else LIMITS
    return DirectTransport(verify=context, limits=limits, dial=dial, receive_times=timestamps)


@contextlib.contextmanager
def _socks_errors() -> Iterator[None]:
    """Turn the errors of a server that doesn't speak SOCKS, which the library lets through, into one of a proxy."""
    import socksio

    try:
        yield
    except (socksio.SOCKSError, AssertionError) as error:
        raise httpx2.ProxyError(NO_SOCKS) from error
