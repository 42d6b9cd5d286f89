"""The process of the diffusion server."""

from __future__ import annotations

from diffusion.app import create_app
from diffusion.service import DiffusionService
from diffusion.settings import DiffusionSettings
from inference.server import serve_model


def serve() -> int:
    """Run the server; see `serve_model`."""
    return serve_model("diffusion", DiffusionSettings, DiffusionService, create_app)
