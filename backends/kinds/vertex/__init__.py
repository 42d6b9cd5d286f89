"""A model behind a Vertex AI endpoint."""

from backends.vertex.backend import connect

__all__ = ["connect"]
