"""A model on an Ollama server, through Ollama's own client."""

from backends.kinds.ollama.backend import connect

__all__ = ["connect"]
