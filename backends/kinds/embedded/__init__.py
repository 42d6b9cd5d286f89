"""A model on this machine without a server: llama.cpp through xllamacpp."""

from backends.kinds.embedded.backend import connect

__all__ = ["connect"]
