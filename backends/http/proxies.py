"""The proxy that the environment names for a server, and the errors of proxies."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2

from backends.errors import NotConfigured, Unreachable
from backends.http.endpoint import Endpoint, display_url

SCHEMES = ("http", "https", "socks5", "socks5h")
NO_SOCKS = "it doesn't speak SOCKS5"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's URL, and the name of the variable that it is from."""

    url: str
    variable: str

    @property
    def label(self) -> str:
        return f"the proxy at {display_url(self.url).removesuffix('/…')}"

    def check(self) -> None:
        """Raise `NotConfigured` if no client can use it."""
        try:
            scheme = httpx2.URL(self.url).scheme
            urlsplit(self.url).port  # noqa: B018 - it raises ValueError
        except (httpx2.InvalidURL, ValueError) as error:
            raise NotConfigured(f"{self.variable} is not the URL of a proxy.", _write_it(self.variable)) from error
        if scheme not in SCHEMES:
            message = f"{self.variable} names a proxy of the kind {scheme}://, which can't be used."
            raise NotConfigured(message, _write_it(self.variable))


def _write_it(variable: str) -> str:
    return f"Write {variable} like http://host:port or socks5://host:port; NO_PROXY names the hosts that need none."


def environment_proxy(scheme: str, host: str, port: int | None = None) -> Proxy | None:
    """The proxy that the environment names for a server, or None; never one for this machine itself."""
    if is_loopback(host):
        return None
    proxies = getproxies()
    name = next((name for name in (scheme, "all") if proxies.get(name)), None)
    port = port or {"http": 80, "https": 443}.get(scheme)
    if name is None or _is_exempt(host, port, proxies.get("no", "")):
        return None
    address = proxies[name]
    return Proxy(address if "://" in address else f"http://{address}", f"{name.upper()}_PROXY")


def check_environment() -> None:
    """Raise `NotConfigured` if the environment names a proxy that no client can use."""
    for scheme in ("http", "https", "all"):
        if address := getproxies().get(scheme):
            Proxy(address if "://" in address else f"http://{address}", f"{scheme.upper()}_PROXY").check()


def endpoint_proxy(endpoint: Endpoint) -> Proxy | None:
    """The proxy between this process and a server, or None."""
    network = endpoint.network
    if network and (network.dial or network.proxy):
        return Proxy(network.proxy, "proxy-url in the kubeconfig") if network.proxy and not network.dial else None
    parts = urlsplit(endpoint.url)
    return environment_proxy(parts.scheme, parts.hostname or "", parts.port)


@functools.lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a host is this machine: localhost, 127.0.0.0/8, ::1, or the unspecified address."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and (address.is_loopback or address.is_unspecified)


def proxy_error(proxy: Proxy, label: str, reason: str, *, answers: bool) -> Unreachable:
    """The error for a proxy that refused a connection, or that isn't there itself."""
    start = f"{label} can't be reached: {proxy.label}"
    if not answers:
        remedy = f"Start the proxy, or correct {proxy.variable}; NO_PROXY names the hosts that need none."
        return Unreachable(f"{start} is not answering ({reason}).", remedy)
    if "407" in reason or "USERNAME/PASSWORD" in reason.upper():
        if urlsplit(proxy.url).username:
            remedy = f"Correct the user name and the password in {proxy.variable}."
        else:
            remedy = f"Write them before the host in {proxy.variable}, as USER:PASSWORD@."
        return Unreachable(f"{start} wants a user name and a password ({reason}).", remedy)
    remedy = f"Look at the proxy's log, correct {proxy.variable}, or add the host to NO_PROXY if it needs none."
    return Unreachable(f"{start} refused the connection ({reason}).", remedy)


def _is_exempt(host: str, port: int | None, exceptions: str) -> bool:
    """Whether NO_PROXY names a host: by its name, a domain, an address, a network, or with its port; "*" is all."""
    name = host.strip("[]").rstrip(".").lower()
    return any(_names(entry.strip().lower(), name, port) for entry in exceptions.split(","))


def _names(entry: str, host: str, port: int | None) -> bool:
    entry = entry.partition("://")[2] or entry
    if entry == "*":
        return True
    if entry.count(":") == 1 or "]:" in entry:  # a bare IPv6 address has more
        entry, _, number = entry.rpartition(":")
        if number != str(port):
            return False
    entry = entry.strip("[]")
    if (address := _address(host)) and entry:
        try:
            return address in ip_network(entry, strict=False)
        except ValueError:  # a name
            pass
    domain = entry.removeprefix("*").lstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
