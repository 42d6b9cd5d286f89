"""Measures a canary alongside the stable release, interleaved, until there is a decision about it.

    python scripts/measure_canary.py --catalog k8s/releases.toml --stable stable --canary canary --out build/canary

Exit status: that of `python -m compare canary`: 0 promote, 1 roll back, 2 undecided after the last size (don't
promote it), 64 usage error, 65 not comparable. The runs and decisions stay in --out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from compare.__main__ import main as compare
from compare.analyse.canary.canary import Decision
from compare.commands.canary import EXIT_STATUS, NOT_COMPARABLE

# Each size is a new measurement: adding to a run and looking again would eventually find a difference by chance.
SIZES = "60,150,400"
UNDECIDED = EXIT_STATUS[Decision.KEEP_MEASURING]


def measure_until_decided(options: argparse.Namespace) -> int:
    """Return the exit status of the decision, measuring as few requests as possible."""
    options.out.mkdir(parents=True, exist_ok=True)
    status = UNDECIDED
    for size in options.sizes.split(","):
        run = options.out / f"{size.strip()}.jsonl"
        measure = ["run", "--targets", f"{options.stable},{options.canary}", "--out", str(run)]
        measure += ["--catalog", str(options.catalog), "--requests", size.strip(), "--progress", "none"]
        failed = compare([*measure, "--concurrency", options.concurrency, *_workload(options)])
        if failed and not run.exists():
            return NOT_COMPARABLE
        names = ["--stable", options.stable, "--candidate", options.canary]
        decide = ["canary", str(run), str(run), *names, "--json", str(run.with_suffix(".json"))]
        decide += ["--objective", options.objective] if options.objective else []
        decide += ["--price", *options.price] if options.price else []
        decide += ["--max-loss", options.max_loss] if options.max_loss else []
        status = compare(decide)
        if status != UNDECIDED:
            break
    return status


def _workload(options: argparse.Namespace) -> list[str]:
    """Return the arguments that say what is asked: questions over documents, or a workload."""
    if not options.questions:
        return ["--workload", options.workload]
    return ["--questions", options.questions, "--documents", *options.documents]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalog", type=Path, required=True, help="a catalogue with both targets")
    parser.add_argument("--stable", default="stable")
    parser.add_argument("--canary", default="canary")
    parser.add_argument("--out", type=Path, required=True, help="a folder for runs and decisions")
    parser.add_argument("--sizes", default=SIZES, help=f"requests per target, one size after the other ({SIZES})")
    parser.add_argument("--concurrency", default="4")
    parser.add_argument("--workload", default="short")
    parser.add_argument("--questions", help="JSONL of questions with right answers, in place of the workload")
    parser.add_argument("--documents", nargs="+", default=[], help="what the questions are about")
    parser.add_argument("--max-loss", help="tolerated decrease of right answers in points")
    parser.add_argument("--objective")
    parser.add_argument("--price", nargs=2, metavar=("STABLE", "CANARY"))
    return measure_until_decided(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
