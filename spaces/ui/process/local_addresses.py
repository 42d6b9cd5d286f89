"""The addresses of this machine, which no library of the process asks through a proxy."""

from __future__ import annotations

import os
from urllib.request import getproxies

_ADDRESSES = ("localhost", "127.0.0.1", "::1")


def exempt_this_machine(host: str | None = None) -> None:
    """Add this machine and the page's host to NO_PROXY if there is a proxy: Gradio calls the page when it starts."""
    proxies = getproxies()
    if not any(proxies.get(scheme) for scheme in ("http", "https", "all")):
        return
    exceptions = [os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")]
    names = [name for part in ",".join(exceptions).split(",") if (name := part.strip())]
    host = host or os.environ.get("GRADIO_SERVER_NAME") or _ADDRESSES[0]
    # Beside other names, "*" has no meaning for urllib.
    names = ["*"] if "*" in names else list(dict.fromkeys([*names, *_ADDRESSES, host.strip("[]")]))
    # Where both are set, some libraries read one and some the other.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(names)
