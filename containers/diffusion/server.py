"""The process of the diffusion server."""

from __future__ import annotations

import sys

from backends import SpaceportError, telemetry
from diffusion.app import create_app
from diffusion.service import DiffusionService
from diffusion.settings import DiffusionSettings
from inference.server import Server, run
from inference.settings import read, warnings


def serve() -> int:
    """Run the server; returns 0 after a signal, 1 if the model or the port fails, 2 for wrong settings."""
    try:
        settings = read(DiffusionSettings)
        telemetry.configure("spaceport-diffusion")
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 2
    service = DiffusionService(settings)
    return run(Server(service, create_app(service), settings), settings, warnings(cls=DiffusionSettings))
