"""Asks a running Space one question through its API, as a visitor's program would."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from publishing.errors import SpaceFailed
from publishing.hub import Hub, redact, translated

QUESTIONS = Path(__file__).with_name("smoke.toml")


def smoke(hub: Hub, repo: str, name: str) -> str:
    """Ask the published Space `repo`, whose app is `name`; gives its answer."""
    with translated(f"the address of {repo}"):
        info = hub.api.space_info(repo)
    address = info.host or f"https://{info.subdomain}.hf.space"
    return ask(address, name, token=hub.api.token if info.private and isinstance(hub.api.token, str) else None)


def ask(address: str, name: str, token: str | None = None) -> str:
    """Ask the app at an address the question of smoke.toml; an answer with an error in it is none."""
    question = tomllib.loads(QUESTIONS.read_text(encoding="utf-8")).get(name)
    try:
        if question and "path" in question:
            return _fetched(address.rstrip("/") + question["path"], token)
        from gradio_client import Client

        client = Client(address, verbose=False, token=token)
        if question is None:
            return str(client.view_api(return_format="dict", print_info=False))
        answer: Any = client.predict(*question["arguments"], api_name=question["endpoint"])
    except Exception as error:
        raise SpaceFailed(
            f"{name} runs, but does not answer ({type(error).__name__}: {redact(str(error))[:200]}).",
            "Open its page, and look at its log.",
        ) from None
    told = answer if isinstance(answer, str) else " ".join(map(str, dict(answer).values()))
    if not told.strip() or told.startswith("error:"):
        raise SpaceFailed(f"{name} runs, but answers {told[:200]!r}.", "Look at its log and its settings.")
    return told


def _fetched(url: str, token: str | None) -> str:
    """What an app without an API answers at an address."""
    import httpx2

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = httpx2.get(url, headers=headers, timeout=30, follow_redirects=True)
    response.raise_for_status()
    return response.text
