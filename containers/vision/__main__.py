"""`python -m vision [serve]`: classifies pictures until SIGTERM, then finishes running answers and exits with 0."""

from __future__ import annotations

import sys
from pathlib import Path

from backends.commands.terminal import exit_status
from inference.program import run_program

HELP = """\
usage: python -m vision [serve]
       python -m vision download FOLDER [MODEL]   copy a model of the Hub to a folder
       python -m vision check                     load the model and classify an empty picture
       python -m vision train-digits FOLDER       train a small classifier of digits there, offline, in seconds

Classifies pictures over HTTP until SIGTERM. Each setting is an environment variable, which docs/vision.md explains.

variable                           default"""


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit status, or 2 for wrong usage."""
    match arguments:
        case ["-h"] | ["--help"]:
            print(_help())
            return 0
        case [] | ["serve"]:
            from vision.server import serve  # a second, which --help must not wait for

            return serve()
        case ["download", folder, *model] if len(model) < 2:
            return exit_status(lambda: _download(Path(folder), *model))
        case ["check"]:
            return exit_status(_check)
        case ["train-digits", folder]:
            return exit_status(lambda: _train_digits(Path(folder)))
    print(f"error: unknown command {' '.join(arguments)!r}.\n  See python -m vision --help.", file=sys.stderr)
    return 2


def _help() -> str:
    from inference.settings import describe
    from vision.settings import VisionSettings

    return "\n".join([HELP, *describe(VisionSettings)])


def _download(folder: Path, model: str = "") -> int:
    from backends.vision.model_files import DEFAULT_MODEL, copy_model

    copy_model(model or DEFAULT_MODEL, folder)
    print(f"{model or DEFAULT_MODEL}: {folder}")
    return 0


def _check() -> int:
    import asyncio

    from vision.check import classify_nothing

    name, label = asyncio.run(classify_nothing())
    print(f"{name} works: an empty picture is {label}")
    return 0


def _train_digits(folder: Path) -> int:
    from vision.digits import train

    accuracy = train(folder)
    print(f"{folder}: {accuracy:.1%} of the digits that it didn't learn from")
    print(f"Serve it: SPACEPORT_MODEL={folder} python -m vision")
    return 0


if __name__ == "__main__":
    run_program(main, extra="vision")
