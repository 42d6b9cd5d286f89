"""Fixtures for the chat page's tests."""

from __future__ import annotations

from tests.rag.conftest import embedder

__all__ = ["embedder"]
