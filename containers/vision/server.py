"""The process of the vision server."""

from __future__ import annotations

import sys

from backends import SpaceportError, telemetry
from inference.server import Server, run
from inference.settings import read, warnings
from vision.app import create_app
from vision.service import VisionService
from vision.settings import VisionSettings


def serve() -> int:
    """Run the server; returns 0 after a signal, 1 if the model or the port fails, 2 for wrong settings."""
    try:
        settings = read(VisionSettings)
        telemetry.configure("spaceport-vision")
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 2
    service = VisionService(settings)
    return run(Server(service, create_app(service), settings), settings, warnings(cls=VisionSettings))
