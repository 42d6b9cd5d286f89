"""Runs the command line of a server as a program, which can be PID 1 of a container."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import NoReturn

from backends import NotConfigured


def run_program(main: Callable[[list[str]], int], *, extra: str) -> NoReturn:
    """Exit with the status of `main`; SIGTERM ends the program with 0 until its server handles the signal itself.

    `extra` is the one of this project that installs the program's packages.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # PID 1 ignores it otherwise
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or find_spec(package):
            raise  # a module of an installed package: an error of this program
        remedy = f"Install what this command needs: pip install 'spaceport[{extra}]', or all: make install"
        print(NotConfigured(f"The package {package} isn't installed.", remedy).for_terminal, file=sys.stderr)
        sys.exit(1)
