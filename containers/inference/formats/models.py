"""The entries of /v1/models."""

from __future__ import annotations

from typing import Any


def model_card(name: str) -> dict[str, Any]:
    """Return the entry of a model."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "spaceport"}
