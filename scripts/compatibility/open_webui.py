"""open-webui with one OpenAI-compatible server, through the API that its own page uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from compatibility.workplace import Target, Workplace

TIMEOUT = httpx2.Timeout(120)
# Nobody logs in, nothing is asked of the internet, and no question is sent besides those of the check.
SETTINGS = {
    "WEBUI_AUTH": "False",
    "WEBUI_SECRET_KEY": "not-a-secret",
    "ENABLE_OLLAMA_API": "False",
    "ENABLE_PERSISTENT_CONFIG": "False",
    "OFFLINE_MODE": "True",
    "RAG_EMBEDDING_ENGINE": "openai",
    "ENABLE_TITLE_GENERATION": "False",
    "ENABLE_TAGS_GENERATION": "False",
    "ENABLE_FOLLOW_UP_GENERATION": "False",
    "ANONYMIZED_TELEMETRY": "False",
}


class OpenWebUI:
    """A client of open-webui, as its page is one; `url` is open-webui's."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=TIMEOUT, trust_env=False)
        login = self._client.post("/api/v1/auths/signin", json={"email": "", "password": ""}).raise_for_status().json()
        self._client.headers["authorization"] = f"Bearer {login['token']}"

    def models(self) -> list[str]:
        """Return the names of the models that it offers."""
        answer = self._client.get("/api/models").raise_for_status().json()
        return [model["id"] for model in answer["data"]]

    def ask(self, body: dict[str, Any]) -> httpx2.Response:
        """Send a request for a chat completion."""
        return self._client.post("/api/chat/completions", json=body)

    def stream(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the events of a streamed answer."""
        with self._client.stream("POST", "/api/chat/completions", json={**body, "stream": True}) as answer:
            answer.raise_for_status()
            lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: {")]
        return [json.loads(line) for line in lines]


@contextmanager
def open_webui(place: Workplace, target: Target) -> Iterator[OpenWebUI]:
    """Run open-webui, with the models of the target's server."""
    program = place.environments.install("open-webui") / "open-webui"
    command: list[str | Path] = [program, "serve", "--host", "127.0.0.1", "--port", "PORT"]
    variables = {
        **SETTINGS,
        "DATA_DIR": str(place.folder / "open-webui"),
        "OPENAI_API_BASE_URL": target.url,
        "OPENAI_API_KEY": target.key,
    }
    with place.process("open-webui", command, variables, "/health") as url:
        yield OpenWebUI(url.removesuffix("/v1"))
