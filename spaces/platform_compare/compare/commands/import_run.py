"""The command `python -m compare import`, which stores another tool's output as a run file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from compare.commands.output import write_file
from compare.errors import CompareError
from compare.foreign.read import read_run
from compare.runs import run_file


def add_import_command(commands: Any) -> None:
    """Add `import` to the commands of `python -m compare`."""
    text = "store an output of AIPerf, GuideLLM or vllm bench serve as a run file"
    parser = commands.add_parser("import", help=text, description=text)
    parser.add_argument("output", type=Path, help="the tool's JSON file, or AIPerf's folder")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the file for the run (JSONL)")
    parser.add_argument("--target", metavar="NAME", help="the target's name in the run (the model's)")
    parser.set_defaults(command=_import)


def _import(options: argparse.Namespace) -> int:
    run = read_run(options.output, options.target)
    if options.out.exists():
        raise CompareError(f"{options.out} exists.", "Choose another path with --out, or remove the file.")
    write_file(options.out, run_file.text(run))
    print(f"{len(run.records)} requests: {options.out}", file=sys.stderr)
    return 0
