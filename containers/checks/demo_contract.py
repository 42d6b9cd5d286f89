"""The contract of the demo image: each app starts and serves its page, under the same restrictions as the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from containers import sandbox
from containers.checks.image_checks import CheckResult, inspect_container, inspect_image, require, run_check

TITLE = "Spaceport demo"
MAX_MB = 1200
PORT = 7860
APPS = ("chat_rag", "platform_compare")


def check(client: Any, image: str) -> Iterator[CheckResult]:
    """Run each app of the image and yield one result per promise."""
    yield from inspect_image(client, image, MAX_MB)
    for app in APPS:
        with sandbox.run_container(client, image, port=PORT, ready="/", command=[app]) as (container, url):
            yield run_check(f"{app}: serves the page", _check_page, url)
            yield from inspect_container(container, f"{app}: ")


def _check_page(url: str) -> str:
    page = httpx2.get(url, timeout=30)
    require(page.status_code == 200, f"status {page.status_code}")
    require("gradio" in page.text, "it isn't a Gradio page")
    return f"{len(page.text)} characters"
