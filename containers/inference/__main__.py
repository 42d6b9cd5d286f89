"""`python -m inference [serve]`: serves a model until SIGTERM, then finishes running answers and exits with 0."""

from __future__ import annotations

import sys

from inference.program import run_program

HELP = """\
usage: python -m inference [serve]

Serves a model over HTTP until SIGTERM. Each setting is an environment variable, which docs/containers.md explains.

variable                           default"""


def main(arguments: list[str]) -> int:
    """Run the server; returns its exit status, or 2 for wrong usage."""
    if arguments in (["-h"], ["--help"]):
        print(_help())
        return 0
    if arguments not in ([], ["serve"]):
        print(f"error: unknown command {' '.join(arguments)!r}.\n  Use serve, or no argument.", file=sys.stderr)
        return 2
    from inference.server import serve  # half a second, which --help must not wait for

    return serve()


def _help() -> str:
    from inference.settings import Settings, describe

    return "\n".join([HELP, *describe(Settings)])


if __name__ == "__main__":
    run_program(main, extra="inference")
