"""What the engine's model can do besides text; the engine itself leaves out tools that its template doesn't have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backends.errors import Rejected
from backends.http.client import get_json
from backends.http.endpoint import Endpoint
from backends.types import ChatRequest

REMEDY = "Choose another model for this target, or ask another target."


async def refuse_unsupported(endpoint: Endpoint, name: str, request: ChatRequest) -> None:
    """Raise `Rejected` if the request has tools or pictures that the model doesn't take."""
    root = replace(endpoint, url=endpoint.url.removesuffix("/v1"))
    properties: Any = await get_json(root, "/props")
    if request.offers_tools and not (properties.get("chat_template_caps") or {}).get("supports_tools", True):
        raise Rejected(f"{name} can't call tools: its chat template has no place for them.", REMEDY, status=400)
    vision = (properties.get("modalities") or {}).get("vision", True)
    if request.has_pictures and not vision:
        raise Rejected(f"{name} takes no pictures.", REMEDY, status=400)
