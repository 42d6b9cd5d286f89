"""Imports Gradio without its type stubs: import this module before Gradio.

At each import, Gradio parses the sources of its components to write and compare a .pyi file beside each, which takes a
third of the time (Gradio 6.31, Python 3.11, 2026-11-29). Nobody reads them while a page runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

MODULE = "gradio.component_meta"


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.create_or_modify_pyi = _write_nothing  # type: ignore[attr-defined]


class _Finder(MetaPathFinder):
    """Finds one module of Gradio, and leaves all others to the finders after it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == MODULE else None
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def _write_nothing(*arguments: Any) -> None:
    """Take the place of what writes the stub of a component."""


sys.meta_path.insert(0, _Finder())
