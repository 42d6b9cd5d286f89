"""One target for each kind with a wire, on a wire server."""

from __future__ import annotations

from typing import Any

from backends import Catalog
from tests.backends.wire_server import Reply, WireServer

AWS_KEY = "AKIDEXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
GOOGLE_TOKEN = "ya29.a-token"
CHAT = "/v1/chat/completions"
SAGEMAKER_STREAM = "/endpoints/chat/invocations-response-stream"
VERTEX_RESOURCE = "/v1/projects/demo/locations/europe-west4/endpoints/4711"
VERTEX_STREAM = f"{VERTEX_RESOURCE}:streamRawPredict"
VERTEX_DESCRIPTION = {
    "name": VERTEX_RESOURCE,
    "displayName": "chat",
    "deployedModels": [{"id": "1", "displayName": "tiny"}],
}
# The path of each kind's stream.
ROUTES = {
    "openai": CHAT,
    "huggingface": CHAT,
    "ollama": "/api/chat",
    "sagemaker": SAGEMAKER_STREAM,
    "vertex": VERTEX_STREAM,
}
ENTRIES: dict[str, dict[str, Any]] = {
    "openai": {"kind": "openai", "url": "URL/v1", "model": "tiny", "read_timeout": 5},
    "huggingface": {"kind": "huggingface", "url": "URL/v1", "model": "tiny", "provider": "fastest", "api_key": "hf_k"},
    "ollama": {"kind": "ollama", "url": "URL", "model": "tiny", "read_timeout": 5},
    "sagemaker": {"kind": "sagemaker", "endpoint": "chat", "region": "eu-west-1", "url": "URL", "read_timeout": 5},
    "vertex": {"kind": "vertex", "endpoint": "4711", "location": "europe-west4", "url": "URL", "read_timeout": 5},
    "fallback": {"kind": "fallback", "targets": ["openai", "ollama"]},
}


def connect(name: str, url: str, **settings: Any) -> Any:
    """The backend of the target `name` at `url`, with some settings changed."""
    entries = {
        key: {field: value.replace("URL", url) if isinstance(value, str) else value for field, value in entry.items()}
        for key, entry in ENTRIES.items()
    }
    entries[name] |= settings
    return Catalog(entries, source="test").connect(name)


def give_google_token(server: WireServer, token: str = GOOGLE_TOKEN, seconds: float = 3600) -> None:
    server.on("/token", Reply.json({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}))


def google_error(status: int, code: str, message: str, *, in_list: bool = False) -> Reply:
    """An error response of Google; a stream's error is a list of one."""
    error = {"error": {"code": status, "message": message, "status": code}}
    return Reply.json([error] if in_list else error, status)
