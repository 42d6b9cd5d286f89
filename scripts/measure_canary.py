"""Measures a canary beside the stable version, in turns, until the judge knows what to do with it.

    python scripts/measure_canary.py --catalog k8s/releases.toml --stable stable --canary canary --out build/canary

Exit status: that of `python -m compare judge`: 0 promote, 1 roll back, 2 still not known after the last size (hold it
back), 64 wrong use, 65 not to be judged. The runs and judgements stay in --out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from compare.__main__ import main as compare
from compare.canary_cli import NOT_JUDGED, STATUS

# Each is measured anew: to add to what was not enough, and to look again, would find a difference sooner or later.
SIZES = "60,150,400"
GO_ON = STATUS["go on measuring"]


def decided(options: argparse.Namespace) -> int:
    """The judge's status, after as few requests as it takes."""
    options.out.mkdir(parents=True, exist_ok=True)
    status = GO_ON
    for size in options.sizes.split(","):
        run = options.out / f"{size.strip()}.jsonl"
        measure = ["run", "--targets", f"{options.stable},{options.canary}", "--out", str(run)]
        measure += ["--catalog", str(options.catalog), "--requests", size.strip(), "--progress", "none"]
        failed = compare([*measure, "--concurrency", options.concurrency, "--workload", options.workload])
        if failed and not run.exists():
            return NOT_JUDGED
        names = ["--stable", options.stable, "--candidate", options.canary]
        judge = ["judge", str(run), str(run), *names, "--json", str(run.with_suffix(".json"))]
        judge += ["--objective", options.objective] if options.objective else []
        judge += ["--price", *options.price] if options.price else []
        status = compare(judge)
        if status != GO_ON:
            break
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalog", type=Path, required=True, help="a catalogue with both")
    parser.add_argument("--stable", default="stable")
    parser.add_argument("--canary", default="canary")
    parser.add_argument("--out", type=Path, required=True, help="a folder for runs and judgements")
    parser.add_argument("--sizes", default=SIZES, help=f"requests of each, one after the other ({SIZES})")
    parser.add_argument("--concurrency", default="4")
    parser.add_argument("--workload", default="short")
    parser.add_argument("--objective")
    parser.add_argument("--price", nargs=2, metavar=("STABLE", "CANARY"))
    return decided(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
