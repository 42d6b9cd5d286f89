"""What the OpenAPI document says about the routes for chat: they read their bodies themselves."""

from __future__ import annotations

_MESSAGE = {"type": "object", "properties": {"role": {"type": "string"}, "content": {"type": "string"}}}
CHAT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"messages": {"type": "array", "items": _MESSAGE}}},
                "example": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64, "stream": True},
            }
        },
    }
}
