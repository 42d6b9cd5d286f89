"""The kinds of target: one module or folder each, and the import of a kind by its name or its dotted path."""

from __future__ import annotations

import importlib
from typing import Any

from backends.errors import NotConfigured

# The modules of this package that have connect(settings).
KINDS = (
    "embedded", "fallback", "huggingface", "kubernetes", "ollama", "openai", "sagemaker", "transformers", "vertex"
)  # fmt: skip
REMEDY = f"The kinds are: {', '.join(KINDS)}, or the dotted path of a module with connect(settings)."
_PROTOCOL = ("local", "stream", "check", "aclose")


def import_kind(kind: str) -> Any:
    """Import the module of a kind; `NotConfigured` if there is none, or it has no connect(settings)."""
    path = kind if "." in kind else f"backends.kinds.{kind}"
    if not all(part.isidentifier() for part in path.split(".")):
        raise NotConfigured(f"There is no kind {kind!r}.", REMEDY)
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            raise NotConfigured(f"There is no kind {kind!r}.", REMEDY) from error
        raise NotConfigured(f"The kind {kind} needs the package {error.name}.", "Install it with pip.") from error
    except Exception as error:  # one broken module must not hide the other targets of the list
        raise NotConfigured(f"The kind {kind} can't be imported ({error!r}).", "Fix that module.") from error
    if not hasattr(module, "connect"):
        raise NotConfigured(f"{path} is not a backend kind: it has no connect(settings).", REMEDY)
    return module


def check_protocol(kind: str, backend: object) -> None:
    """Raise `NotConfigured` if what a kind's `connect` returned lacks a member of `Backend`."""
    missing = [name for name in _PROTOCOL if not hasattr(backend, name)]
    if missing:
        raise NotConfigured(
            f"The backend of the kind {kind} has no {', '.join(missing)}.", "Add it: see backends.types.Backend."
        )
