"""What counts as one address of a client."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(4096)
def network(host: str) -> str:
    """Return the address to count by: an IPv4 address, or the /64 network of an IPv6 one, which is one customer's."""
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
