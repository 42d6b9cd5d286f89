"""Command line: python -m compare COMMAND, such as run, report, canary, capacity, score and publish.

Exit status: 0 success, 1 error (message and remedy on stderr), 2 usage error, 3 no request succeeded, 130 interrupted.
`capacity` has 4 too: its answer can't be relied on.
`canary` has its own: 0 promote, 1 roll back, 2 keep measuring, 64 usage error, 65 runs that can't be compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from backends.commands.terminal import exit_status
from compare.commands.canary import add_canary_command
from compare.commands.capacity import add_capacity_command
from compare.commands.conformance import add_conformance_command
from compare.commands.import_run import add_import_command
from compare.commands.leaderboard import add_leaderboard_command
from compare.commands.merge import add_merge_command
from compare.commands.publish import add_publish_command
from compare.commands.report import add_report_command
from compare.commands.run import add_run_command
from compare.commands.score import add_score_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return exit_status(lambda: command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compare", description="Measure targets against each other.")
    commands = parser.add_subparsers(
        required=True,
        metavar="run | report | canary | capacity | score | import | merge | conformance | publish | leaderboard",
    )
    add_run_command(commands)
    add_report_command(commands)
    add_canary_command(commands)
    add_capacity_command(commands)
    add_score_command(commands)
    add_import_command(commands)
    add_merge_command(commands)
    add_conformance_command(commands)
    add_publish_command(commands)
    add_leaderboard_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
