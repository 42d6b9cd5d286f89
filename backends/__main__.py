"""python -m backends list | check | ask | embed | rerank | models | pull | use: the catalogue on the command line.

Exit status: 0 success, 1 failure (message and remedy on stderr), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence

from backends import telemetry
from backends.commands import ask, models, targets, vectors
from backends.commands.terminal import exit_status
from backends.http.connections import close_connections


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], Coroutine[None, None, int]] = options.command

    def run() -> int:
        telemetry.configure("spaceport")
        return asyncio.run(_run(command(options)))

    return exit_status(run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backends", description="The targets of the catalogue.")
    # The option is valid before and after the command; SUPPRESS keeps the second parser from resetting it.
    parser.add_argument("--catalog", metavar="PATH", default=None, help="a catalogue instead of the built-in one")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--catalog", metavar="PATH", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="list | check | ask | embed | rerank | models | pull | use")
    for module in (targets, ask, vectors, models):
        module.add_commands(commands, common)
    return parser


async def _run(command: Coroutine[None, None, int]) -> int:
    """Run a command, then close the HTTP connections."""
    try:
        return await command
    finally:
        await close_connections()


if __name__ == "__main__":
    sys.exit(main())
