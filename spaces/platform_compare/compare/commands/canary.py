"""The command `python -m compare canary BASELINE CANARY`, whose exit status is the decision.

0 promote, 1 roll back, 2 keep measuring; 64 usage error and 65 runs that can't be compared. A mistake in a
pipeline therefore never looks like a decision.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from backends import SpaceportError
from compare.analyse.canary.canary import TOLERANCE, CanaryDecision, Decision, Release, decide
from compare.analyse.canary.canary_quality import MAX_LOSS
from compare.analyse.costs.prices import Price, Prices
from compare.analyse.metrics.objectives import OBJECTIVES
from compare.commands.output import write_file
from compare.errors import CompareError
from compare.foreign.read import read_run
from compare.report.words.canary_text import decision_json, decision_text
from compare.runs.records import Run

EXIT_STATUS: dict[Decision, int] = {Decision.PROMOTE: 0, Decision.ROLL_BACK: 1, Decision.KEEP_MEASURING: 2}
USAGE_ERROR, NOT_COMPARABLE = 64, 65


def add_canary_command(commands: Any) -> None:
    """Add `canary` to the commands of `python -m compare`, and `judge`, its old name."""
    text = "decide about a canary: 0 promote, 1 roll back, 2 keep measuring"
    parser = commands.add_parser("canary", help=text, description=text)
    parser.error = partial(_exit_with_usage, parser)
    parser.add_argument("baseline", type=Path, help="a run of the stable release, or an output of another tool")
    parser.add_argument("canary", type=Path, help="a run of the canary; ideally the same file with both targets")
    parser.add_argument("--stable", metavar="NAME", help="the stable target, if its run has several")
    parser.add_argument("--candidate", metavar="NAME", help="the canary's target, if its run has several")
    parser.add_argument("--objective", choices=tuple(OBJECTIVES), help="also compare how many requests meet it")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help=f"tolerated increase in time and cost ({TOLERANCE})"
    )
    parser.add_argument(
        "--max-loss", type=float, default=MAX_LOSS * 100, metavar="POINTS",
        help=f"tolerated decrease of right answers in points, if questions were asked ({MAX_LOSS * 100:g})",
    )  # fmt: skip
    parser.add_argument(
        "--price", nargs=2, metavar=("STABLE", "CANARY"), help="of both: ml.g5.xlarge, 1.25/h, … (the catalogue's)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the decision as JSON")
    parser.set_defaults(command=_decide)
    old = commands.add_parser("judge", add_help=False)  # the old name, for one release
    old.add_argument("rest", nargs=argparse.REMAINDER)
    old.set_defaults(command=_point_to_canary)


def _exit_with_usage(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """Exit with a status that isn't a decision; argparse's own status would mean "keep measuring"."""
    parser.print_usage(sys.stderr)
    parser.exit(USAGE_ERROR, f"{parser.prog}: error: {message}\n")


def _point_to_canary(_: argparse.Namespace) -> int:
    print("error: `judge` is now `canary`.\n  Use python -m compare canary BASELINE CANARY.", file=sys.stderr)
    return USAGE_ERROR


def _decide(options: argparse.Namespace) -> int:
    try:
        decision, stable, canary = _decision(options)
        write_file(options.json, json.dumps(decision_json(decision, options.objective), indent=2) + "\n")
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return NOT_COMPARABLE
    print(decision_text(decision, stable, canary, options.objective))
    return EXIT_STATUS[decision.decision]


def _decision(options: argparse.Namespace) -> tuple[CanaryDecision, Release, Release]:
    baseline = read_run(options.baseline)
    same_file = options.canary.resolve() == options.baseline.resolve()
    canary_run = baseline if same_file else read_run(options.canary)
    stable = Release(baseline, _target(baseline, options.stable, "--stable"))
    canary = Release(canary_run, _target(canary_run, options.candidate, "--candidate"))
    if same_file and stable.target == canary.target:
        raise CompareError(f"Can't compare {stable.target} with itself.", "Name two targets of the run.")
    objective = OBJECTIVES[options.objective] if options.objective else None
    prices = _prices(options, stable, canary)
    decision = decide(stable, canary, objective, prices, options.tolerance, options.max_loss / 100)
    return decision, stable, canary


def _target(run: Run, name: str | None, option: str) -> str:
    if name is None and len(run.targets) == 1:
        return run.targets[0]
    if name not in run.targets:
        what = f"The run has no target {name!r}." if name else "The run has several targets."
        raise CompareError(what, f"Name one with {option}: {', '.join(run.targets)}.")
    return name


def _prices(options: argparse.Namespace, stable: Release, canary: Release) -> tuple[Price, Price] | None:
    """Return both prices from the command line, else from the catalogue at the time; None if one is missing."""
    texts = options.price or [
        str(release.run.header["targets"].get(release.target, {}).get("price", "")) for release in (stable, canary)
    ]
    if not all(texts):
        return None
    table = Prices.load()
    return table.find(texts[0]), table.find(texts[1])
