"""The process of the vision server."""

from __future__ import annotations

from fastapi import FastAPI

from inference.process import run_server
from vision.app import create_app
from vision.service import VisionService
from vision.settings import VisionSettings


def serve() -> int:
    """Run the server; returns 0 after a signal, 1 if the model or the port fails, 2 for wrong settings."""

    def create(settings: VisionSettings) -> tuple[VisionService, FastAPI]:
        service = VisionService(settings)
        return service, create_app(service)

    return run_server(VisionSettings, create, "spaceport-vision")
