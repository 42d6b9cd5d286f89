"""A model behind a Vertex AI endpoint."""

from backends.kinds.vertex.backend import connect

__all__ = ["connect"]
