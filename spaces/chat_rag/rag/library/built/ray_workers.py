"""Reads and embeds the files of a build with Ray (https://docs.ray.io), on one machine or on many.

A task gets the bytes of its file, so the machines of a cluster need no common disk. Each needs this package with the
extra `ray`, and the same embedding model.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from backends.machine.processors import usable_processors
from backends.settings import require_package
from rag.errors import DocumentError, RagError
from rag.library.built.local_workers import Outcome, embed
from rag.library.built.manifest import library_label
from rag.library.built.ray_head import watch_head
from rag.library.built.sources import FoundFile
from rag.library.library import Library
from rag.library.quota import UNLIMITED
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from rag.search.embedding.embedders import Embedder
from rag.search.embedding.onnx_export import packaged_model

# One is running on each processor of the cluster, and its next file is there.
_TASKS_PER_PROCESSOR = 2
# How often Ray starts a task again whose process, or machine, has ended.
_RETRIES = 3
_WAIT_SECONDS = 1.0  # for a result, before the head of the cluster is looked at
_GOES_ON = "Run the command again: it goes on where it stopped."


class _Job(NamedTuple):
    """One file, and all that decides about its document: by these, each machine does what this one would."""

    name: str
    folder: str
    suffix: str  # of the file's own name, which tells its type
    data: bytes
    model: str  # "" is the model that is installed there
    label: str
    limits: ProcessLimits


class _Failure(NamedTuple):
    """An error that isn't about the file."""

    message: str
    remedy: str


def embed_files_on_ray(files: Sequence[FoundFile], embedder: Embedder) -> Iterator[tuple[FoundFile, Outcome]]:
    """Yield what became of each file as soon as it is known, in no order.

    Raises `RagError` if there is no Ray, if no machine can do the work, if a process ends again and again, or if the
    head of the cluster is gone.
    """
    if not files:
        return
    limits, label = ProcessLimits.from_environment(), library_label(embedder)
    model = "" if embedder.name == packaged_model() else embedder.name
    upcoming, running = deque(files), dict[Any, FoundFile]()
    with _cluster() as ray, watch_head(ray) as head:
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_read_and_embed)
        while upcoming or running:
            while upcoming and len(running) < _TASKS_PER_PROCESSOR * head.processors:
                file = upcoming.popleft()
                try:
                    data = file.source.path.read_bytes()
                except OSError as error:
                    yield file, f"It can't be read ({error.strerror or error})."
                    continue
                source = file.source
                job = _Job(source.name, source.folder, source.path.suffix, data, model, label, limits)
                running[task.remote(job)] = file
            for reference in ray.wait(list(running), timeout=_WAIT_SECONDS)[0] if running else ():
                yield running.pop(reference), _result(ray, reference)
            if head.is_gone:
                raise RagError(f"The head of the Ray cluster at {head.address} doesn't answer any more.", _GOES_ON)


def _result(ray: Any, reference: Any) -> Outcome:
    try:
        result = ray.get(reference)
    except ray.exceptions.RayError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise RagError(f"A task of Ray failed: {reason}", _GOES_ON) from error
    if isinstance(result, _Failure):
        raise RagError(*result)
    outcome: Outcome = result
    return outcome


@contextmanager
def _cluster() -> Iterator[Any]:
    """Connect to the cluster in RAY_ADDRESS, or start Ray on this machine for as long as the build takes."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    address = os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        # Ray reads these when it is imported. With the first, its processes talk over the loopback interface alone.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        options |= {"num_cpus": usable_processors(), "include_dashboard": False}
    try:
        import ray
    except ImportError:
        require_package("ray", extra="ray")
        raise
    try:
        ray.init(address, **options)
    except Exception as error:  # a machine that is too busy to start Ray in 30 s is a bare Exception
        raise _not_started(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _not_started(address: str, error: Exception) -> RagError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if address == "local":
        return RagError(f"Ray doesn't start ({reason}).", f"{_GOES_ON} Without Ray: --workers N.")
    remedy = "Start the cluster, or unset RAY_ADDRESS to use Ray on this machine alone."
    return RagError(f"Can't connect to Ray at {address} ({reason}).", remedy)


def _read_and_embed(job: _Job) -> Outcome | _Failure:
    """Do the work of one task, in a process of Ray."""
    embedder = _embedder(job.model)
    try:
        if (label := library_label(embedder)) != job.label:
            return _Failure(
                f"A machine of the Ray cluster embeds with “{label}”, not with “{job.label}”.",
                "Install the same version and the same model on all machines.",
            )
        with TemporaryDirectory(prefix="spaceport-") as folder:
            path = Path(folder) / f"f{job.suffix}"
            path.write_bytes(job.data)
            library = Library(embedder, quota=UNLIMITED, readers=_readers(job.limits))
            return embed(library.read(path, name=job.name, folder=job.folder), embedder)
    except DocumentError as error:
        return error.message
    except RagError as error:
        return _Failure(error.message, error.remedy)


@cache
def _embedder(model: str) -> Embedder:
    return Embedder(model or None)


@cache
def _readers(limits: ProcessLimits) -> ReaderPool:
    return ReaderPool(1, limits)
