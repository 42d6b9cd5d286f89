"""python -m compare judge BASELINE CANARY: a pipeline's question, answered by the exit status.

0 promote, 1 roll back, 2 go on measuring; 64 wrong use and 65 runs that cannot be judged, so that no mistake of the
pipeline is taken for an answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from backends import SpaceportError
from compare import run_file
from compare.analyse.canary import TOLERANCE, CanaryDecision, Side, judge
from compare.analyse.objectives import OBJECTIVES
from compare.analyse.prices import Price, Prices
from compare.errors import CompareError
from compare.records import Run

STATUS = {"promote": 0, "roll back": 1, "go on measuring": 2}
WRONG_USE, NOT_JUDGED = 64, 65


def add_to(commands: Any) -> None:
    """Add `judge` to the commands of `python -m compare`."""
    text = "whether a canary may go on: 0 promote, 1 roll back, 2 go on measuring"
    parser = commands.add_parser("judge", help=text, description=text)
    parser.error = partial(_wrong_use, parser)
    parser.add_argument("baseline", type=Path, help="a run of the stable version")
    parser.add_argument("canary", type=Path, help="a run of the canary; best the same file, with both as its targets")
    parser.add_argument("--stable", metavar="NAME", help="the stable target, where its run has several")
    parser.add_argument("--candidate", metavar="NAME", help="the canary's target, where its run has several")
    parser.add_argument("--objective", choices=tuple(OBJECTIVES), help="also judged by how many requests meet it")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help=f"how much slower or dearer is no harm ({TOLERANCE})"
    )
    parser.add_argument(
        "--price", nargs=2, metavar=("STABLE", "CANARY"), help="of both: ml.g5.xlarge, 1.25/h, … (the catalogue's)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="the judgement as JSON")
    parser.set_defaults(command=_judge)


def _wrong_use(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """Leave with a status that is no answer; argparse's own would be "go on measuring"."""
    parser.print_usage(sys.stderr)
    parser.exit(WRONG_USE, f"{parser.prog}: error: {message}\n")


def _judge(options: argparse.Namespace) -> int:
    try:
        judgement, stable, canary = _judged(options)
        if options.json:
            options.json.write_text(json.dumps(asdict(judgement), indent=2) + "\n", encoding="utf-8")
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return NOT_JUDGED
    except OSError as error:
        print(f"error: {options.json} cannot be written ({error.strerror}).\n  Choose another path.", file=sys.stderr)
        return NOT_JUDGED
    print(told(judgement, stable, canary))
    return STATUS[judgement.decision]


def _judged(options: argparse.Namespace) -> tuple[CanaryDecision, Side, Side]:
    baseline = run_file.read(options.baseline)
    same = options.canary.resolve() == options.baseline.resolve()
    second = baseline if same else run_file.read(options.canary)
    stable = Side(baseline, _target(baseline, options.stable, "--stable"))
    canary = Side(second, _target(second, options.candidate, "--candidate"))
    if same and stable.target == canary.target:
        raise CompareError(f"{stable.target} cannot be judged against itself.", "Name two targets of the run.")
    objective = OBJECTIVES[options.objective] if options.objective else None
    return judge(stable, canary, objective, _prices(options, stable, canary), options.tolerance), stable, canary


def _target(run: Run, named: str | None, option: str) -> str:
    if named is None and len(run.targets) == 1:
        return run.targets[0]
    if named not in run.targets:
        what = f"The run has no target {named!r}." if named else "The run has several targets."
        raise CompareError(what, f"Name one by {option}: {', '.join(run.targets)}.")
    return named


def _prices(options: argparse.Namespace, stable: Side, canary: Side) -> tuple[Price, Price] | None:
    """What the command line says, or what the catalogue said when the runs were made, if it did of both."""
    written = options.price or [
        str(side.run.header["targets"].get(side.target, {}).get("price", "")) for side in (stable, canary)
    ]
    if not all(written):
        return None
    table = Prices.load()
    return table.find(written[0]), table.find(written[1])


def told(judgement: CanaryDecision, stable: Side, canary: Side) -> str:
    """The judgement for people: each check, then what to do."""
    marks = {"good": "good ", "worse": "WORSE", "open": "open "}
    lines = [
        f"{marks[check.state]}  {check.what} at {check.load}: {check.text}"
        + ("" if check.holds or check.state != "open" else " (does not hold it up)")
        for check in judgement.checks
    ]
    if stable.run is not canary.run:
        lines.append("note   the two were measured apart: what the machine did meanwhile is in the figures too")
    what = f"{canary.target}: {judgement.decision}"
    if judgement.decision == "go on measuring":
        size = f"about {judgement.wanted} requests" if judgement.wanted else "more requests, in at least six blocks"
        what += f"; {size} of each at each load would tell"
    return "\n".join([*lines, what])
