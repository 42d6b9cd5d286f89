"""The gateway's process: serves until SIGTERM, then finishes running answers and exits with 0."""

from __future__ import annotations

import logging
import sys

from backends import SpaceportError, telemetry
from gateway.app import create_app
from gateway.service import Gateway
from gateway.settings import OTHER_VARIABLES, Settings, from_environment
from inference.server import Server, run
from inference.settings import warnings


def serve() -> int:
    """Run the gateway; returns 0 after a signal, 1 if it or the port fails, 2 for wrong settings."""
    try:
        settings = from_environment()
        telemetry.configure("spaceport-gateway")
        gateway = Gateway(settings)
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename} can't be written ({error.strerror}).\n  Set SPACEPORT_DATA.", file=sys.stderr)
        return 2
    logging.getLogger("alembic").setLevel(logging.WARNING)
    server = Server(gateway, create_app(gateway), settings)
    return run(server, settings, warnings(cls=Settings, others=OTHER_VARIABLES))
