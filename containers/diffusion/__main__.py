"""`python -m diffusion [serve]`: makes pictures until SIGTERM, then finishes the running one and exits with 0."""

from __future__ import annotations

import sys

from inference.program import run_program

HELP = """\
usage: python -m diffusion [serve]

Makes pictures from prompts over HTTP until SIGTERM. Each setting is an environment variable: see docs/vision.md.

variable                           default"""


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit status, or 2 for wrong usage."""
    match arguments:
        case ["-h"] | ["--help"]:
            from diffusion.settings import DiffusionSettings
            from inference.settings import describe

            print("\n".join([HELP, *describe(DiffusionSettings)]))
            return 0
        case [] | ["serve"]:
            from diffusion.server import serve  # a second, which --help must not wait for

            return serve()
    print(f"error: unknown command {' '.join(arguments)!r}.\n  See python -m diffusion --help.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    run_program(main, extra="diffusion")
