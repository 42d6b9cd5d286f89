"""What the demo image promises: each of its apps comes up, confined as the inference server is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from containers import running
from containers.checks.promises import Row, healthy, inspected, read_only, tried, user, want

TITLE = "Spaceport demo"
MOST_MB = 1200
PORT = 7860
APPS = ("chat_rag", "platform_compare")


def check(client: Any, image: str) -> Iterator[Row]:
    """Run each app as an operator would, and give a row a promise as it is tried."""
    yield from inspected(client, image, MOST_MB)
    for app in APPS:
        started = running.running(client, image, port=PORT, ready="/", command=[app])
        with started as (container, url):
            yield tried(f"{app}: the page answers", lambda url=url: _page(url))  # type: ignore[misc]
            yield tried(f"{app}: not root", lambda container=container: user(container))  # type: ignore[misc]
            yield tried(f"{app}: its root cannot be written", lambda container=container: read_only(container))  # type: ignore[misc]
            yield tried(f"{app}: the health check passes", lambda container=container: healthy(container))  # type: ignore[misc]


def _page(url: str) -> str:
    page = httpx2.get(url, timeout=30)
    want(page.status_code == 200, f"status {page.status_code}")
    want("gradio" in page.text, "it is no page of Gradio")
    return f"{len(page.text)} characters"
