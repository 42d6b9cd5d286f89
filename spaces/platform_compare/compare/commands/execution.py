"""Executes a plan for a command: its progress, its end and its errors on the terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from backends import Catalog, SpaceportError
from compare.measure.measurement import Progress
from compare.measure.plan import RunPlan
from compare.measure.run import EndReason, execute
from compare.measure.workloads.workload import Workload
from compare.runs.records import Run

INTERRUPTED, NOTHING_SUCCEEDED = 130, 3


def with_error_events(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command; with the progress as JSON, its error is an event too."""
    try:
        return command(options)
    except SpaceportError as error:
        if options.progress == "json":  # for the program that reads the progress; people read stderr
            print(json.dumps({"error": error.message, "remedy": error.remedy}), flush=True)
        raise


def check_available(targets: Sequence[str], catalog: Catalog) -> None:
    """Raise the reason why a target can't be used, before anything else is done."""
    for name in targets:
        if error := catalog.target(name).unavailable:
            raise error


def execute_with_progress(
    plan: RunPlan, workload: Workload, catalog: Catalog, options: argparse.Namespace, **more: Any
) -> EndReason:
    """Execute the plan into `options.out`, with the progress that `options.progress` asks for."""
    return run_until_signal(execute(plan, workload, catalog, options.out, progress_printer(options), **more))


def progress_printer(options: argparse.Namespace) -> Callable[[Progress], None]:
    """Return what prints the progress in the form that `options.progress` asks for."""
    return {"text": _print_line, "json": _print_json, "none": lambda _: None}[options.progress]


def run_until_signal(work: Coroutine[Any, Any, EndReason]) -> EndReason:
    """Run the work; SIGINT and SIGTERM cancel it."""
    return asyncio.run(_until_signal(work))


def print_end(reason: EndReason, options: argparse.Namespace) -> None:
    """Print why the run ended, in place of its progress."""
    if options.progress == "text":
        print(f"\r{reason}: {options.out}\033[K", file=sys.stderr)


async def _until_signal(work: Coroutine[Any, Any, EndReason]) -> EndReason:
    """Run the work as a task that SIGINT and SIGTERM cancel."""
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def report_nothing(run: Run) -> int:
    """Print why no request succeeded, and return the exit status that says so."""
    error = next((record.error for record in run.records if record.error), None)
    measured = sum(record.phase == "measured" for record in run.records)
    empty = f"{measured} answers ended without text." if measured else "Nothing was measured."
    reason = f"{error.message}\n  {error.remedy}" if error else empty
    print(f"error: no request succeeded. {reason}", file=sys.stderr)
    return NOTHING_SUCCEEDED


def _print_line(progress: Progress) -> None:
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    count = f"{progress.done:,} of {progress.total:,} {progress.unit}{left} · " if progress.total else ""
    print(f"\r{count}{progress.current_step}\033[K", end="", file=sys.stderr, flush=True)


def _print_json(progress: Progress) -> None:
    print(json.dumps(progress.as_json()), flush=True)
