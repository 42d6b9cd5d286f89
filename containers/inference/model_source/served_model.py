"""Finds the model: by name, in a mounted folder, in Cloud Storage, or in the image."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends import Backend, Catalog, NotConfigured
from backends.vectors import EmbeddingBackend, connect_embeddings
from inference.settings import Settings

# SageMaker unpacks a model into the first folder; the second is for a model that you mount.
FOLDERS = (Path("/opt/ml/model"), Path("/models"))
SPLIT_FILE = re.compile(r"-(\d++)-of-\d++\.gguf$")


def connect(settings: Settings, folders: Sequence[Path] = FOLDERS) -> Backend:
    """Return the backend to serve. Blocks while it copies a model from Cloud Storage; loads nothing yet."""
    if settings.target:
        return Catalog.load().connect(settings.target)
    return Catalog({"served": catalog_entry(settings, folders)}, source="the environment").connect("served")


def connect_embedding_model(settings: Settings) -> tuple[str, EmbeddingBackend] | None:
    """Return the model for embeddings and its name, or None if the server has none."""
    if not (target := settings.embeddings_target):
        return None
    catalog = Catalog.load()
    name = str(catalog.settings(target).get("model") or target)
    if Path(name).exists():  # clients get the name, and a path is none of their business
        name = Path(name).name.removesuffix(".gguf")
    return name, connect_embeddings(catalog, target)


def catalog_entry(settings: Settings, folders: Sequence[Path] = FOLDERS) -> dict[str, Any]:
    """Return the catalogue entry for a model that runs on this machine."""
    model = find_model(settings, folders)
    entry: dict[str, Any] = {"kind": settings.kind, **({"model": model} if model else {})}
    if settings.kind == "embedded":
        entry |= {"context": settings.context, "parallel": slot_count(settings)}
        entry["read_timeout"] = settings.request_seconds
        entry["subprocess"] = True  # a separate process, so that health checks get a response while the model loads
        if settings.threads:
            entry["threads"] = settings.threads
    return entry


def slot_count(settings: Settings) -> int:
    """Return how many answers are generated concurrently.

    A processor that generates several gives each more than its share, up to about two per thread. transformers
    generates one at a time. A target does its own batching, so it gets as many as it can take.
    """
    from backends.machine.processors import usable_processors

    if settings.parallel:
        return settings.parallel
    if settings.target:
        return 256
    return min(16, 2 * (settings.threads or usable_processors())) if settings.kind == "embedded" else 1


def find_model(settings: Settings, folders: Sequence[Path] = FOLDERS) -> str | None:
    """Return a path or a Hub name from, in this order, SPACEPORT_MODEL, Cloud Storage or `folders`.

    None stands for the model in the image.
    """
    if settings.model:
        path = Path(settings.model)
        return str(_model_in(path, settings.kind)) if path.is_dir() else settings.model
    if settings.storage_uri:
        return str(_model_in(fetch(settings.storage_uri), settings.kind))
    mount = next((folder for folder in folders if folder.is_dir() and any(folder.iterdir())), None)
    return str(_model_in(mount, settings.kind)) if mount else None


def fetch(uri: str) -> Path:
    """Return the folder of an address, copied from Cloud Storage if it's there; blocks."""
    if not uri.startswith("gs://"):
        return Path(uri.removeprefix("file://"))
    from inference.model_source import cloud_storage

    # One folder per address, so that two addresses never mix their files.
    name = f"spaceport-model-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"
    return cloud_storage.download(uri, Path(tempfile.gettempdir()) / name)


def _model_in(folder: Path, kind: str) -> Path:
    """Return the model in a folder: for llama.cpp its GGUF file, or the first part of a split one."""
    if kind == "transformers":
        config = next(iter(sorted(folder.rglob("config.json"))), None)
        if config is None:
            raise NotConfigured(f"There is no config.json in {folder}.", "Put a transformers model there.")
        return config.parent
    files = sorted(file for file in folder.rglob("*.gguf") if file.is_file())
    models = [file for file in files if not (part := SPLIT_FILE.search(file.name)) or int(part[1]) == 1]
    if len(models) == 1:
        return models[0]
    if not models:
        raise NotConfigured(f"There is no GGUF file in {folder}.", "Put one there, or name it with SPACEPORT_MODEL.")
    names = ", ".join(file.name for file in models)
    raise NotConfigured(f"{folder} contains several models: {names}.", "Name one with SPACEPORT_MODEL.")
