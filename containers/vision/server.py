"""The process of the vision server."""

from __future__ import annotations

from inference.server import serve_model
from vision.app import create_app
from vision.service import VisionService
from vision.settings import VisionSettings


def serve() -> int:
    """Run the server; see `serve_model`."""
    return serve_model("vision", VisionSettings, VisionService, create_app)
