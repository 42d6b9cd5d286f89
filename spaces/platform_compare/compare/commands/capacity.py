"""The command `python -m compare capacity`, which searches how many users a target holds at a service level.

Exit status: 0 answered, 1 error, 2 usage error, 3 no request succeeded, 4 an answer that can't be relied on (the target
changed or stopped answering, or the time was over), 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from backends import Catalog
from compare.capacity.grid import Grid
from compare.capacity.measurement import CapacityMeasurement
from compare.capacity.questions import baseline_requests, judged_sample
from compare.capacity.read_capacities import read_capacities
from compare.capacity.result import Capacity, Reliability
from compare.capacity.search import MAX_REQUESTS, default_requests
from compare.capacity.settings import CapacitySettings
from compare.capacity.slo import parse_slo
from compare.commands.execution import (
    INTERRUPTED,
    check_available,
    execute_with_progress,
    print_end,
    progress_printer,
    report_nothing,
    with_error_events,
)
from compare.commands.options.questions import add_question_options, prepare_workload
from compare.commands.options.requests import add_request_options, plan_settings, target_names
from compare.commands.options.telemetry import add_telemetry_options, recorded
from compare.commands.output import write_file
from compare.errors import CompareError, PlanError, WorkloadError
from compare.measure.plan import RunPlan
from compare.measure.run import EndReason
from compare.measure.workloads.workload import Workload
from compare.quality_commands import AnswerScorer
from compare.runs import run_file
from compare.runs.records import Run

USERS, RATE = 64, 100
NOT_RELIABLE = 4


def add_capacity_command(commands: Any) -> None:
    """Add `capacity` to the commands of `python -m compare`."""
    text = "search how many users, or requests/s, targets hold at a service level"
    parser = commands.add_parser(
        "capacity", help=text, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--target", dest="targets", required=True, metavar="A,B", help="names of the catalogue; several are interleaved"
    )
    parser.add_argument(
        "--slo", required=True, metavar="TEXT", help='"ttft_p95<1s, itl_p95<80ms, error<1%%, quality>=0.9*baseline"'
    )
    _add_load_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("capacity.jsonl"),
        metavar="FILE",
        help="the file for the raw arrivals (capacity.jsonl)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the answer as JSON (- for the terminal)")
    parser.add_argument(
        "--requests",
        type=int,
        metavar="N",
        help=f"at most, per target and load ({MAX_REQUESTS}; more for an SLO below 2%%)",
    )
    add_request_options(parser)
    add_question_options(parser)
    add_telemetry_options(parser)
    parser.set_defaults(command=_search)


def _add_load_options(parser: argparse.ArgumentParser) -> None:
    load = parser.add_mutually_exclusive_group()
    load.add_argument(
        "--users",
        type=int,
        nargs="?",
        const=USERS,
        metavar="N",
        help=f"search up to N users who wait for answers ({USERS})",
    )
    load.add_argument(
        "--rate", type=float, nargs="?", const=RATE, metavar="N", help=f"search up to N requests per second ({RATE})"
    )
    parser.add_argument("--start", type=float, default=1, metavar="N", help="the first load (1)")
    parser.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson", help="for --rate (poisson)")


def _search(options: argparse.Namespace) -> int:
    return with_error_events(lambda options: recorded(_measure, options), options)


def _measure(options: argparse.Namespace) -> int:
    if options.json and options.json.resolve() == options.out.resolve():
        raise CompareError(f"{options.out} is the file for the raw arrivals.", "Choose another path with --json.")
    clauses = parse_slo(options.slo)
    requests = default_requests(clauses) if options.requests is None else options.requests
    settings = CapacitySettings(clauses, _grid(options), requests)
    plan, catalog = _plan(options, settings), Catalog.load(options.catalog)
    check_available(plan.targets, catalog)  # before the documents are read
    show = progress_printer(options)
    with prepare_workload(options, show, scored=settings.scores_answers) as (workload, path):
        reason = _execute(plan, catalog, settings, workload, path, options)
    print_end(reason, options)
    run = run_file.read(options.out)
    if not _has_answers(run):
        return INTERRUPTED if reason == "stopped" else report_nothing(run)
    answers = read_capacities(run)
    _print(answers, options.json)
    if reason == "stopped":
        return INTERRUPTED
    return 0 if all(answer.reliability is Reliability.GOOD for answer in answers) else NOT_RELIABLE


def _execute(
    plan: RunPlan,
    catalog: Catalog,
    settings: CapacitySettings,
    workload: Workload,
    path: Path,
    options: argparse.Namespace,
) -> EndReason:
    """Search, and score the answers meanwhile if a condition is about them; otherwise none is kept."""
    if workload.has_conversations:
        raise PlanError("A search sends single requests, not conversations.", "Leave out the turns of the workload.")
    scorer = None
    if settings.scores_answers:
        workload = judged_sample(workload, settings.max_requests)
        settings = replace(settings, first_requests=baseline_requests(workload))
        scorer = AnswerScorer(path, workload.questions)
    else:
        workload = workload.without_questions()
    measuring = partial(CapacityMeasurement, settings=settings, scorer=scorer)
    try:
        return execute_with_progress(plan, workload, catalog, options, measuring=measuring, search=settings.as_json())
    except WorkloadError:  # the answers can't be scored any more
        print_end("stopped", options)
        if _has_answers(run := run_file.read(options.out)):
            _print(read_capacities(run), options.json)
        raise
    finally:
        if scorer:
            scorer.close()


def _has_answers(run: Run) -> bool:
    return any(record.ok for record in run.records if record.phase == "measured")


def _grid(options: argparse.Namespace) -> Grid:
    if options.rate is not None:
        return Grid("requests/s", options.rate, min(options.start, options.rate), options.arrivals)
    return Grid("users", USERS if options.users is None else options.users, options.start)


def _plan(options: argparse.Namespace, settings: CapacitySettings) -> RunPlan:
    return RunPlan(
        targets=target_names(options.targets),
        loads=(settings.grid.load(settings.grid.start),),
        requests=settings.max_requests,
        **plan_settings(options),
    )


def _print(answers: Sequence[Capacity], path: Path | None) -> None:
    from compare.report.words.capacity_text import capacity_json, capacity_text, curve_table

    as_json = json.dumps(capacity_json(answers), indent=2) + "\n"
    if str(path) == "-":
        print(as_json, end="")
        return
    print(capacity_text(answers))
    for answer in answers:
        print(f"\n{answer.target}\n\n{curve_table(answer)}")
    write_file(path, as_json, remedy="Choose another path with --json.")
