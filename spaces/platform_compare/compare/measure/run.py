"""A run from catalogue to file: connects the targets, measures, and writes each line as soon as it is there."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from backends import Backend, BackendError, Catalog
from backends.http.connections import close_connections
from backends.processors import usable_processors
from backends.stopwatch import wall_clock
from compare.errors import CompareError, PlanError
from compare.measure.measurement import Measurement, Progress
from compare.measure.plan import RunPlan
from compare.measure.workload import Workload
from compare.run_file import VERSION, encode, entry_dict

PACKAGES = ("spaceport", "httpx2", "xllamacpp", "transformers", "torch", "ollama", "huggingface_hub", "numpy", "scipy")


async def execute(
    plan: RunPlan,
    workload: Workload,
    catalog: Catalog,
    out: Path,
    report: Callable[[Progress], None] = lambda _: None,
) -> str:
    """Measure `plan` into `out` and give why it ended: "finished", "stopped" (cancelled) or "out of time".

    A cancelled run is complete as far as it went: what was measured stays in the file.
    """
    connected = _connect(plan, catalog)
    run_id = secrets.token_hex(6)
    measurement = Measurement(plan, workload, connected, nonce=run_id, report=report)
    with _stored(out) as file:
        _put(file, header(plan, workload, catalog, run_id))
        reason = "finished"
        try:
            await _write(measurement, file)
            if measurement.out_of_time:
                reason = "out of time"
        except asyncio.CancelledError:
            reason = "stopped"
            for entry in measurement.unfinished:
                _put(file, entry_dict(entry))
        await _conclude(connected, file, reason)
    for backend in connected.values():
        await backend.aclose()
    await close_connections()
    return reason


def header(plan: RunPlan, workload: Workload, catalog: Catalog, run_id: str) -> dict[str, Any]:
    """What is needed to repeat the run, without any secret."""
    known = {name: catalog.target(name) for name in plan.targets}
    return {
        "type": "run",
        "version": VERSION,
        "id": run_id,
        "started": datetime.fromtimestamp(wall_clock(), UTC).isoformat(timespec="seconds"),
        "plan": asdict(plan),
        "loads": [load.name for load in plan.loads],
        "workload": {
            "name": workload.name,
            "description": workload.description,
            "prompts": len(workload.prompts),
            "hash": workload.hash,
        },
        "targets": {
            name: {"title": target.title, "price": target.price, "settings": catalog.settings(name)}
            for name, target in known.items()
        },
        "environment": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "processors": usable_processors(),
            "packages": {name: version for name in PACKAGES if (version := _version(name))},
        },
    }


def _connect(plan: RunPlan, catalog: Catalog) -> dict[str, Backend]:
    return {name: catalog.connect(name) for name in plan.targets}


async def _write(measurement: Measurement, file: TextIO) -> None:
    async for entry in measurement.entries():
        _put(file, entry_dict(entry))


async def _conclude(connected: dict[str, Backend], file: TextIO, reason: str) -> None:
    try:
        for name, backend in connected.items():
            _put(file, await _described(name, backend))
    except asyncio.CancelledError:  # stopped now: what targets say of themselves is not worth a wait
        pass
    finally:
        _put(file, {"type": "end", "reason": reason})


@contextmanager
def _stored(out: Path) -> Iterator[TextIO]:
    file = _open(out)
    try:  # closing writes too, and can fail as well
        with file:
            yield file
    except OSError as error:
        raise CompareError(f"{out} cannot be written ({error.strerror}).", "Make room on the disk.") from error


def _open(out: Path) -> TextIO:
    """The file to write; one of that name is kept under another, because it may be an hour's measurements."""
    try:
        if out.is_file() and out.stat().st_size:
            out.rename(next(free for number in count(1) if not (free := _numbered(out, number)).exists()))
        return out.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise PlanError(f"{out} cannot be written ({error.strerror}).", "Choose another path with --out.") from error


def _numbered(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}.{number}{out.suffix}")


def _put(file: TextIO, line: dict[str, Any]) -> None:
    file.write(encode(line) + "\n")


async def _described(name: str, backend: Backend) -> dict[str, Any]:
    """What a target says of itself, asked at the end: asking a cold one first would load its model."""
    try:
        async with asyncio.timeout(5):
            health = await backend.check()
        said = {"model": health.model, "context": health.context, "detail": health.detail}
    except (BackendError, TimeoutError):
        said = {}
    return {"type": "target", "name": name, **said}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
