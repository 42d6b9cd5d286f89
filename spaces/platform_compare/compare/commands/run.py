"""The command `python -m compare run`, which measures targets into a run file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends import Catalog
from compare import run_file
from compare.commands.execution import (
    INTERRUPTED,
    execute_with_progress,
    print_end,
    print_step,
    report_nothing,
    with_error_events,
)
from compare.commands.questions import add_question_options, default_requests, prepare_workload
from compare.commands.request_options import add_request_options, plan_settings, target_names
from compare.measure import plan as plans
from compare.measure.plan import Load, RunPlan
from compare.quality_commands import add_scores

DEFAULT_REQUESTS = 40


def add_run_command(commands: Any) -> None:
    """Add `run` to the commands of `python -m compare`."""
    run = commands.add_parser("run", help="measure targets, interleaved, into a JSONL file of raw arrivals")
    run.add_argument("--targets", required=True, metavar="A,B", help="names of the catalogue")
    run.add_argument("--out", required=True, type=Path, metavar="FILE", help="the file for the raw arrivals (JSONL)")
    load = run.add_mutually_exclusive_group()
    load.add_argument("--concurrency", metavar="1,4", help="closed loops: requests to keep in flight (1)")
    load.add_argument("--rate", metavar="2,8", help="open loops: requests to send per second, on schedule")
    load.add_argument("--sweep", type=int, metavar="N", help="closed loops at 1, 2, 4 … up to N")
    run.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson", help="for --rate (poisson)")
    run.add_argument("--requests", type=int, help="measured requests per target and load (40, or each question)")
    run.add_argument("--warmup", type=int, default=2, help="requests per target that precede them and don't count (2)")
    add_request_options(run)
    add_question_options(run)
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    return with_error_events(_measure, options)


def _measure(options: argparse.Namespace) -> int:
    plan = RunPlan(
        targets=target_names(options.targets),
        loads=_loads(options),
        requests=DEFAULT_REQUESTS if options.requests is None else options.requests,
        warmup=options.warmup,
        **plan_settings(options),
    )
    catalog = Catalog.load(options.catalog)
    for name in plan.targets:
        if error := catalog.target(name).unavailable:
            raise error  # before the documents are read
    say = print_step if options.progress == "text" else lambda _: None
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


def _loads(options: argparse.Namespace) -> tuple[Load, ...]:
    if options.sweep is not None:
        return plans.sweep(options.sweep)
    if options.rate is not None:
        return tuple(Load(options.arrivals, rate) for rate in plans.parse_numbers(options.rate, "--rate"))
    return plans.closed_loops(plans.parse_numbers(options.concurrency or "1", "--concurrency"))
