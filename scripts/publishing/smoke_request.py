"""Sends one request to a running Space through its API, as a visitor's program would."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from backends.hub.client import Hub, redact, translate_errors
from publishing.errors import SpaceFailed, SpaceNotReady

REQUESTS = Path(__file__).with_name("smoke_request.toml")
TIMEOUT_SECONDS = 30
# What a Space on ZeroGPU says to an account that has used up its time, or while all machines are busy.
_NO_GPU = re.compile(
    r"exceeded your (\w+ )?(zero)?gpu quota|running out of (\w+ )?zerogpu quota|no gpu (is|was) (currently )?available",
    re.IGNORECASE,
)


def smoke_test(hub: Hub, repo: str, name: str, question: str = "") -> str:
    """Send the test request of the app `name` to the published Space `repo` and return its answer."""
    with translate_errors(f"the address of {repo}"):
        info = hub.api.space_info(repo)
    address = info.host or f"https://{info.subdomain}.hf.space"
    return ask(
        address, name, question, token=hub.api.token if info.private and isinstance(hub.api.token, str) else None
    )


def ask(address: str, name: str, question: str = "", *, token: str | None = None) -> str:
    """Send the app's request of smoke_request.toml, with its own question or another.

    Raises `SpaceFailed` without a real answer, and `SpaceNotReady` if ZeroGPU has no time left for who asks.
    """
    request = tomllib.loads(REQUESTS.read_text(encoding="utf-8")).get(name)
    try:
        if request and "path" in request:
            return _get(address.rstrip("/") + request["path"], token)
        from gradio_client import Client

        client = Client(address, verbose=False, token=token)
        if request is None:
            return str(client.view_api(return_format="dict", print_info=False))
        reply: Any = client.predict(*([question] if question else request["arguments"]), api_name=request["endpoint"])
    except Exception as error:
        _check_quota(name, str(error))
        raise SpaceFailed(
            f"{name} runs, but does not answer ({type(error).__name__}: {redact(str(error))[:200]}).",
            "Open its page, and read its log.",
        ) from None
    return answer_text(name, reply)


def answer_text(name: str, reply: object) -> str:
    """Return the text of an app's reply; raise as `ask` does if there is none."""
    text = " ".join(map(str, reply.values())) if isinstance(reply, dict) else str(reply)
    if not text.strip() or text.startswith("error:"):
        _check_quota(name, text)
        raise SpaceFailed(f"{name} runs, but answers {text[:200]!r}.", "Check its log and its settings.")
    return text


def _check_quota(name: str, text: str) -> None:
    if _NO_GPU.search(text):
        words = redact(" ".join(text.split()))[:300].removeprefix("error: ").rstrip(".")
        message = f"{name} runs, but ZeroGPU has no GPU for its test: “{words}”."
        raise SpaceNotReady(message, "Ask it a question later, or pass --no-smoke.")


def _get(url: str, token: str | None) -> str:
    import httpx2

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = httpx2.get(url, headers=headers, timeout=TIMEOUT_SECONDS, follow_redirects=True)
    response.raise_for_status()
    return response.text
