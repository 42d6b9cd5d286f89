"""The command `python -m compare merge`, which puts the files of several clients together."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from compare.errors import CompareError
from compare.measure.run import open_file
from compare.runs import run_file
from compare.runs.merge import merge_runs


def add_merge_command(commands: Any) -> None:
    """Add `merge` to the commands of `python -m compare`."""
    text = "merge the files of several clients (run --client) into one run"
    parser = commands.add_parser("merge", help=text, description=text)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the file of each client")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the file for the run")
    parser.set_defaults(command=_merge)


def _merge(options: argparse.Namespace) -> int:
    if options.out.resolve() in [path.resolve() for path in options.files]:
        raise CompareError(f"{options.out} is the file of a client.", "Choose another path with --out.")
    run = merge_runs([run_file.read(path) for path in options.files])
    with open_file(options.out) as file:
        file.writelines(f"{line}\n" for line in run_file.lines(run))
    lost = "".join(f"; client {index} ended early or has no file" for index in run.lost_clients)
    print(f"{options.out}: {len(run.records):,} requests of {run.header['clients']['count']} clients{lost}")
    return 0
