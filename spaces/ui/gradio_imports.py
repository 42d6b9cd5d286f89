"""Imports Gradio without what a page doesn't need: import this module before Gradio.

At each import, Gradio parses the sources of its components to write and compare a .pyi file beside each, which takes a
third of the time; nobody reads them while a page runs. A tenth is the package mcp for a server that few pages have;
Gradio does without if it is missing (Gradio 6.31, Python 3.11, 2026-11-29). A quarter of the rest is pandas, for a
cache of results and for tables that no page has: 1.68 s of CPU time without it, 2.2 with (2026-11-30).

A proxy of the environment that Gradio can't use ends the program here, in words.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from backends import NotConfigured
from backends.http.proxies import check_environment

try:
    check_environment()
except NotConfigured as error:  # Gradio makes a client when it is imported, and that client tries all proxies
    raise SystemExit(error.for_terminal) from error


class _WithoutStubs(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.create_or_modify_pyi = _write_nothing  # type: ignore[attr-defined]


class _WithoutMcp(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        if "mcp" in sys.modules or os.environ.get("SPACEPORT_MCP") or os.environ.get("GRADIO_MCP_SERVER"):
            super().exec_module(module)
            return
        sys.modules["mcp"] = None  # type: ignore[assignment]  # its import then fails
        try:
            super().exec_module(module)
        finally:
            del sys.modules["mcp"]


class _LateModule(ModuleType):
    """A module that is imported when an attribute of it is read."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:  # somebody else reads it while Gradio's module is being imported
            if name.startswith("__"):
                raise AttributeError(name)
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class _WithLatePandas(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        spec = None if "pandas" in sys.modules else PathFinder.find_spec("pandas")
        if spec is None:
            super().exec_module(module)
            return
        late = sys.modules["pandas"] = _LateModule("pandas")
        late.__spec__ = spec
        try:
            super().exec_module(module)
        finally:
            if sys.modules.get("pandas") is late:
                del sys.modules["pandas"]


LOADERS = {"gradio.caching": _WithLatePandas, "gradio.component_meta": _WithoutStubs, "gradio.mcp": _WithoutMcp}


class _Finder(MetaPathFinder):
    """Finds three modules of Gradio, and leaves all others to the finders after it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in LOADERS else None
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = LOADERS[name](spec.loader.name, spec.loader.path)
        return spec


def _write_nothing(*arguments: Any) -> None:
    """Take the place of what writes the stub of a component."""


sys.meta_path.insert(0, _Finder())
