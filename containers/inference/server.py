"""The process of the server for text."""

from __future__ import annotations

from fastapi import FastAPI

from inference.app import create_app
from inference.process import run_server
from inference.service import Service
from inference.settings import Settings


def serve() -> int:
    """Run the server; returns 0 after a signal, 1 if the model or the port fails, 2 for wrong settings."""

    def create(settings: Settings) -> tuple[Service, FastAPI]:
        service = Service(settings)
        return service, create_app(service)

    return run_server(Settings, create, "spaceport-inference")
