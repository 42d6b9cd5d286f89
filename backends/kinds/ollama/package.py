"""Imports Ollama's package where the environment names a proxy that no client can use."""

from __future__ import annotations

import importlib
import os
import sys

from backends.errors import NotConfigured
from backends.http.proxies import check_environment

_NO_PROXY = ("NO_PROXY", "no_proxy")


def import_package() -> None:
    """Import Ollama's package: it makes a client for its shortcuts at once, and that one tries all proxies.

    A server on this machine needs none, and for others there is an error in words.
    """
    if "ollama" in sys.modules:
        return
    try:
        check_environment()
    except NotConfigured:
        before = {name: os.environ.get(name) for name in _NO_PROXY}
        os.environ.update(dict.fromkeys(_NO_PROXY, "*"))
        try:
            importlib.import_module("ollama")
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
    else:
        importlib.import_module("ollama")
