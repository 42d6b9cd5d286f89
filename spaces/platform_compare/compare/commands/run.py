"""The command `python -m compare run`, which measures targets into a run file."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends import Catalog
from compare.commands.clients import check_targets, execute_as_client, execute_with_clients
from compare.commands.execution import (
    INTERRUPTED,
    check_available,
    execute_with_progress,
    print_end,
    progress_printer,
    report_nothing,
    run_until_signal,
    with_error_events,
)
from compare.commands.options.questions import (
    add_question_options,
    default_requests,
    prepare_workload,
    scoring_progress,
)
from compare.commands.options.requests import add_request_options, plan_settings, target_names
from compare.commands.options.telemetry import add_telemetry_options, recorded
from compare.errors import PlanError
from compare.measure import plan as plans
from compare.measure.clients.part import Part
from compare.measure.load import OPEN_BLOCKS, Load
from compare.measure.plan import RunPlan
from compare.measure.run import EndReason
from compare.measure.trace_file import read_trace
from compare.measure.workloads.workload import Workload
from compare.quality_commands import add_scores
from compare.runs import run_file

DEFAULT_REQUESTS = 40


def add_run_command(commands: Any) -> None:
    """Add `run` to the commands of `python -m compare`."""
    run = commands.add_parser("run", help="measure targets, interleaved, into a JSONL file of raw arrivals")
    run.add_argument("--targets", required=True, metavar="A,B", help="names of the catalogue")
    run.add_argument("--out", required=True, type=Path, metavar="FILE", help="the file for the raw arrivals (JSONL)")
    load = run.add_mutually_exclusive_group()
    load.add_argument("--concurrency", metavar="1,4", help="closed loops: requests to keep in flight (1)")
    load.add_argument("--rate", metavar="2,8", help="open loops: requests to send per second, on schedule")
    load.add_argument("--trace", type=Path, metavar="FILE", help="requests at the times of a file, a line each")
    load.add_argument("--sweep", type=int, metavar="N", help="closed loops at 1, 2, 4 … up to N")
    run.add_argument(
        "--arrivals", choices=("poisson", "constant", "bursts"), default="poisson", help="for --rate (poisson)"
    )
    run.add_argument(
        "--burst", default="2,8", metavar="ON,OFF", help="for bursts: seconds with requests, without (2,8)"
    )
    run.add_argument("--requests", type=int, help="measured requests per target and load (40, or each question)")
    run.add_argument(
        "--warmup", type=int, default=plans.WARMUP,
        help="requests per target that precede them and don't count (%(default)s)",
    )  # fmt: skip
    run.add_argument("--clients", type=int, default=1, metavar="N", help="measure with so many processes (1)")
    run.add_argument("--client", metavar="I/N", help="be client I of N on several machines; merge their files")
    run.add_argument("--meet", metavar="HOST:PORT", help="for --client: where client 0 listens for the others")
    run.add_argument("--join", metavar="HOST:PORT", help=argparse.SUPPRESS)  # of a client that --clients starts
    add_request_options(run)
    add_question_options(run)
    add_telemetry_options(run)
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    return with_error_events(lambda options: recorded(_measure, options), options)


def _measure(options: argparse.Namespace) -> int:
    loads = _loads(options)
    plan = RunPlan(
        targets=target_names(options.targets),
        loads=loads,
        requests=_default_requests(loads) if options.requests is None else options.requests,
        warmup=options.warmup,
        **plan_settings(options),
    )
    catalog = Catalog.load(options.catalog)
    check_available(plan.targets, catalog)  # before the documents are read
    show = progress_printer(options)
    with prepare_workload(options, show) as (workload, path):
        if options.requests is None:
            plan = replace(plan, requests=default_requests(workload, plan.requests))
        reason = _execute(plan, workload, path, catalog, options)
        if workload.questions and not options.client:
            add_scores(options.out, path, report=scoring_progress(show))
    print_end(reason, options)
    if reason == "stopped":
        return INTERRUPTED
    run = run_file.read(options.out)
    return 0 if any(record.ok for record in run.records if record.phase == "measured") else report_nothing(run)


def _execute(plan: RunPlan, workload: Workload, path: Path, catalog: Catalog, options: argparse.Namespace) -> EndReason:
    """Measure with this process, as one of several clients, or with several of them."""
    if options.client:
        work = execute_as_client(plan, workload, catalog, options, progress_printer(options))
    elif options.clients == 1:
        return execute_with_progress(plan, workload, catalog, options)
    else:
        Part(0, options.clients).check(plan.with_conversations(workload))
        check_targets(plan, catalog)
        file = path if options.workload or workload.questions else None
        work = execute_with_clients(plan, file, options, progress_printer(options))
    return run_until_signal(work)


def _loads(options: argparse.Namespace) -> tuple[Load, ...]:
    if options.sweep is not None:
        return plans.sweep(options.sweep)
    if options.trace is not None:
        return (read_trace(options.trace),)
    if options.rate is not None:
        on, off = _burst(options.burst) if options.arrivals == "bursts" else (0.0, 0.0)
        return tuple(Load(options.arrivals, rate, on, off) for rate in plans.parse_numbers(options.rate, "--rate"))
    return plans.closed_loops(plans.parse_numbers(options.concurrency or "1", "--concurrency"))


def _burst(text: str) -> tuple[float, float]:
    seconds = plans.parse_numbers(text, "--burst")
    if len(seconds) != 2:
        raise PlanError(f"{text!r} isn't a time with requests and one without.", "Write it like 2,8.")
    return seconds[0], seconds[1]


def _default_requests(loads: Sequence[Load]) -> int:
    """Return the usual number of requests, all of a trace, or so many that a verdict has bursts to compare."""
    if any(load.pattern == "trace" for load in loads):
        return min(len(load.times) for load in loads)
    bursts = [OPEN_BLOCKS * math.ceil(load.value * load.cycle) for load in loads if load.pattern == "bursts"]
    return max([DEFAULT_REQUESTS, *bursts])
