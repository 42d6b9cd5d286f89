"""A run from catalogue to file: connects the targets, measures, and writes each line as soon as it exists."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal, TextIO

from backends import Backend, BackendError, Catalog
from backends.http.connections import close_connections
from backends.machine.processors import usable_processors
from backends.stopwatch import wall_clock
from compare.errors import CompareError, PlanError
from compare.measure.clients.barrier import Barrier
from compare.measure.measurement import Measurement, Progress
from compare.measure.plan import RunPlan
from compare.measure.workloads.workload import Workload
from compare.runs.run_file import VERSION, encode, entry_dict

PACKAGES = ("spaceport", "httpx2", "xllamacpp", "transformers", "torch", "ollama", "huggingface_hub", "numpy", "scipy")
EndReason = Literal["finished", "stopped", "out of time"]


async def execute(
    plan: RunPlan,
    workload: Workload,
    catalog: Catalog,
    out: Path,
    report: Callable[[Progress], None] = lambda _: None,
    measuring: Callable[..., Measurement] = Measurement,
    search: Mapping[str, Any] | None = None,
    barrier: Barrier | None = None,
) -> EndReason:
    """Measure `plan` into `out` and return why the run ended; "stopped" means cancelled.

    The file of a cancelled or failed run keeps everything that was measured. `measuring` creates the measurement;
    `search`, for one that chooses its loads, goes into the header as "capacity". With a `barrier`, this is one of
    several clients, and the file has its part of the run.
    """
    plan = plan.with_conversations(workload)
    backends = {name: catalog.connect(name) for name in plan.targets}
    run_id = barrier.run if barrier else secrets.token_hex(6)
    measurement = measuring(plan, workload, backends, nonce=run_id, report=report, barrier=barrier)
    more = ({"capacity": search} if search else {}) | ({"client": asdict(barrier.part)} if barrier else {})
    with open_file(out) as file:
        _write_line(file, header(plan, workload, catalog, run_id) | more)
        try:
            reason = await _write_entries(measurement, file)
            await _conclude(backends, file, reason)
        finally:
            for backend in backends.values():
                await backend.aclose()
            await close_connections()
    return reason


def header(plan: RunPlan, workload: Workload, catalog: Catalog, run_id: str) -> dict[str, Any]:
    """Return the first line of a run: everything needed to reproduce it, without secrets."""
    targets = {name: catalog.target(name) for name in plan.targets}
    return {
        "type": "run",
        "version": VERSION,
        "id": run_id,
        "started": datetime.fromtimestamp(wall_clock(), UTC).isoformat(timespec="milliseconds"),
        "plan": asdict(plan),
        "loads": [load.name for load in plan.loads],
        **({"uneven": uneven} if (uneven := [load.name for load in plan.loads if load.is_uneven]) else {}),
        "workload": {
            "name": workload.name,
            "description": workload.description,
            "prompts": len(workload.prompts),
            "hash": workload.hash,
            **({"settings": workload.settings} if workload.settings else {}),
            **({"questions": [asdict(question) for question in workload.questions]} if workload.questions else {}),
        },
        "targets": {
            name: {"title": target.title, "price": target.price, "settings": catalog.settings(name)}
            for name, target in targets.items()
        },
        "environment": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "processors": usable_processors(),
            "packages": {name: version for name in PACKAGES if (version := _version(name))},
        },
    }


async def _write_entries(measurement: Measurement, file: TextIO) -> EndReason:
    """Write each entry as soon as it exists, also those that are pending when the run is cancelled or fails."""
    try:
        async for entry in measurement.entries():
            _write_line(file, entry_dict(entry))
    except asyncio.CancelledError:
        return "stopped"
    finally:
        for entry in measurement.pending_entries:
            _write_line(file, entry_dict(entry))
    return "out of time" if measurement.out_of_time else "finished"


async def _conclude(backends: dict[str, Backend], file: TextIO, reason: EndReason) -> None:
    try:
        for name, backend in backends.items():
            _write_line(file, await _describe_target(name, backend))
    except asyncio.CancelledError:  # cancelled again: the targets' descriptions aren't worth a wait
        pass
    finally:
        _write_line(file, {"type": "end", "reason": reason})


@contextmanager
def open_file(out: Path) -> Iterator[TextIO]:
    """Create a run's file; an existing one gets another name."""
    file = _create(out)
    try:  # closing the file writes too, so it can fail as well
        with file:
            yield file
    except OSError as error:
        raise CompareError(f"Can't write {out} ({error.strerror}).", "Free some disk space.") from error


def _create(out: Path) -> TextIO:
    """Create the file; rename an existing one first, because it may contain an hour of measurements."""
    try:
        if out.is_file() and out.stat().st_size:
            out.rename(next(free for number in count(1) if not (free := _numbered(out, number)).exists()))
        return out.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise PlanError(f"Can't write {out} ({error.strerror}).", "Choose another path with --out.") from error


def _numbered(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}.{number}{out.suffix}")


def _write_line(file: TextIO, line: dict[str, Any]) -> None:
    file.write(encode(line) + "\n")


async def _describe_target(name: str, backend: Backend) -> dict[str, Any]:
    """Return what a target says about itself. Asked at the end: asking a cold target first would load its model."""
    try:
        async with asyncio.timeout(5):
            health = await backend.check()
        description = {"model": health.model, "context": health.context, "detail": health.detail}
    except (BackendError, TimeoutError):
        description = {}
    return {"type": "target", "name": name, **description}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
