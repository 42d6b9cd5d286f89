"""Finds the model: named, mounted, copied from Cloud Storage, or baked into the image."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends import Backend, Catalog, NotConfigured
from inference.settings import Settings

# SageMaker unpacks a model into the first; the second is for whoever mounts one.
FOLDERS = (Path("/opt/ml/model"), Path("/models"))
PARTS = re.compile(r"-0*(\d+)-of-\d+\.gguf$")


def connect(settings: Settings, folders: Sequence[Path] = FOLDERS) -> Backend:
    """The backend that is served; nothing is loaded yet, but a copy from Cloud Storage is made now. Blocks."""
    if settings.target:
        return Catalog.load().connect(settings.target)
    return Catalog({"served": entry(settings, folders)}, source="the environment").connect("served")


def entry(settings: Settings, folders: Sequence[Path] = FOLDERS) -> dict[str, Any]:
    """The catalogue entry for a model inside this process."""
    model = find(settings, folders)
    chosen: dict[str, Any] = {"kind": settings.kind, **({"model": model} if model else {})}
    if settings.kind == "embedded":
        chosen |= {"context": settings.context, "parallel": slots(settings), "read_timeout": settings.request_seconds}
        chosen["apart"] = True  # what asks whether we are alive gets its answer while the model is loaded
        if settings.threads:
            chosen["threads"] = settings.threads
    return chosen


def slots(settings: Settings) -> int:
    """How many answers are made at once.

    A processor that makes several at once gives each more than its share, up to about two a thread; transformers
    makes one at a time; whoever batches elsewhere is given as many as it likes.
    """
    from backends.processors import usable_processors

    if settings.parallel:
        return settings.parallel
    if settings.target:
        return 256
    return min(16, 2 * (settings.threads or usable_processors())) if settings.kind == "embedded" else 1


def find(settings: Settings, folders: Sequence[Path] = FOLDERS) -> str | None:
    """A path or a Hub name: what is named, else copied, else mounted; None for what is baked in."""
    if settings.model:
        path = Path(settings.model)
        return str(_inside(path, settings.kind)) if path.is_dir() else settings.model
    if settings.storage_uri:
        return str(_inside(_copied(settings.storage_uri), settings.kind))
    filled = next((folder for folder in folders if folder.is_dir() and any(folder.iterdir())), None)
    return str(_inside(filled, settings.kind)) if filled else None


def _copied(uri: str) -> Path:
    if not uri.startswith("gs://"):
        return Path(uri.removeprefix("file://"))
    from inference import storage

    # A folder an address: what was copied from another one is another model.
    name = f"spaceport-model-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"
    return storage.download(uri, Path(tempfile.gettempdir()) / name)


def _inside(folder: Path, kind: str) -> Path:
    """The model in a folder: for llama.cpp its GGUF file, of a split one the first part."""
    if kind == "transformers":
        config = next(iter(sorted(folder.rglob("config.json"))), None)
        if config is None:
            raise NotConfigured(f"There is no config.json in {folder}.", "Put a model of transformers there.")
        return config.parent
    files = sorted(file for file in folder.rglob("*.gguf") if file.is_file())
    first = [file for file in files if not (part := PARTS.search(file.name)) or part[1] == "1"]
    if len(first) == 1:
        return first[0]
    if not first:
        raise NotConfigured(f"There is no GGUF file in {folder}.", "Put one there, or name it with SPACEPORT_MODEL.")
    names = ", ".join(file.name for file in first)
    raise NotConfigured(f"{folder} holds several models: {names}.", "Name one with SPACEPORT_MODEL.")
