"""The command `python -m compare run`, which measures targets into a run file."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends import Catalog, SpaceportError
from compare import run_file
from compare.commands.questions import add_question_options, default_requests, prepare_workload
from compare.commands.telemetry import add_telemetry_options, recorded
from compare.measure import plan as plans
from compare.measure.measurement import Progress
from compare.measure.plan import Load, RunPlan
from compare.measure.run import EndReason, execute
from compare.measure.workload import SHAPES, Workload
from compare.quality_commands import add_scores
from compare.records import Run

DEFAULT_REQUESTS = 40
INTERRUPTED, NOTHING_SUCCEEDED = 130, 3


def add_run_command(commands: Any) -> None:
    """Add `run` to the commands of `python -m compare`."""
    run = commands.add_parser("run", help="measure targets, interleaved, into a JSONL file of raw arrivals")
    run.add_argument("--targets", required=True, metavar="A,B", help="names of the catalogue")
    run.add_argument("--catalog", metavar="PATH", help="a catalogue other than the built-in one")
    run.add_argument("--out", required=True, type=Path, metavar="FILE", help="the file for the raw arrivals (JSONL)")
    load = run.add_mutually_exclusive_group()
    load.add_argument("--concurrency", metavar="1,4", help="closed loops: requests to keep in flight (1)")
    load.add_argument("--rate", metavar="2,8", help="open loops: requests to send per second, on schedule")
    load.add_argument("--sweep", type=int, metavar="N", help="closed loops at 1, 2, 4 … up to N")
    run.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson", help="for --rate (poisson)")
    run.add_argument("--requests", type=int, help="measured requests per target and load (40, or each question)")
    run.add_argument("--warmup", type=int, default=2, help="requests per target that precede them and don't count (2)")
    run.add_argument("--workload", metavar="NAME|FILE", help=f"{', '.join(SHAPES)} or JSONL (short)")
    add_question_options(run)
    add_telemetry_options(run)
    run.add_argument("--max-tokens", type=int, help="maximum length of an answer (the workload's)")
    run.add_argument("--temperature", type=float, default=0.0)
    run.add_argument("--seed", type=int, default=0, help="seed of the order of blocks and of the arrivals (0)")
    run.add_argument("--timeout", type=float, default=120.0, help="seconds for one request (120)")
    run.add_argument(
        "--max-seconds", type=float, default=3600.0, help="seconds for the run; measured requests are kept (3600)"
    )
    run.add_argument("--progress", choices=("text", "json", "none"), default="text")
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    return with_error_events(lambda options: recorded(_measure, options), options)


def with_error_events(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command; with the progress as JSON, its error is an event too."""
    try:
        return command(options)
    except SpaceportError as error:
        if options.progress == "json":  # for the program that reads the progress; people read stderr
            print(json.dumps({"error": error.message, "remedy": error.remedy}), flush=True)
        raise


def _measure(options: argparse.Namespace) -> int:
    plan = RunPlan(
        targets=target_names(options.targets),
        loads=_loads(options),
        requests=DEFAULT_REQUESTS if options.requests is None else options.requests,
        warmup=options.warmup,
        seed=options.seed,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        request_timeout=options.timeout,
        max_seconds=options.max_seconds,
    )
    catalog = Catalog.load(options.catalog)
    for name in plan.targets:
        if error := catalog.target(name).unavailable:
            raise error  # before the documents are read
    say = _print_step if options.progress == "text" else lambda _: None
    with prepare_workload(options, say) as (workload, path):
        if options.requests is None:
            plan = replace(plan, requests=default_requests(workload, DEFAULT_REQUESTS))
        reason = execute_with_progress(plan, workload, catalog, options)
        if workload.questions:
            say("Scoring the answers")
            add_scores(options.out, path)
    print_end(reason, options)
    if reason == "stopped":
        return INTERRUPTED
    run = run_file.read(options.out)
    return 0 if any(record.ok for record in run.records if record.phase == "measured") else report_nothing(run)


def target_names(text: str) -> tuple[str, ...]:
    """Return the names of a list such as "laptop, gpu"."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def execute_with_progress(
    plan: RunPlan, workload: Workload, catalog: Catalog, options: argparse.Namespace, **more: Any
) -> EndReason:
    """Execute the plan into `options.out`, with the progress that `options.progress` asks for."""
    report = {"text": _print_line, "json": _print_json, "none": lambda _: None}[options.progress]
    return asyncio.run(_until_signal(execute(plan, workload, catalog, options.out, report, **more)))


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


def _loads(options: argparse.Namespace) -> tuple[Load, ...]:
    if options.sweep is not None:
        return plans.sweep(options.sweep)
    if options.rate is not None:
        return tuple(Load(options.arrivals, rate) for rate in plans.parse_numbers(options.rate, "--rate"))
    return plans.closed_loops(plans.parse_numbers(options.concurrency or "1", "--concurrency"))


def _print_line(progress: Progress) -> None:
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    print(
        f"\r{progress.done} of {progress.total} requests{left} · {progress.current_step}\033[K", end="", file=sys.stderr
    )


def _print_step(text: str) -> None:
    print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def _print_json(progress: Progress) -> None:
    print(json.dumps(progress.as_json()), flush=True)
