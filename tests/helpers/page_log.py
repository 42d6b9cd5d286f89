"""What a page did, for the report of a test that failed: its requests, messages and errors, and the log of its app."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from tests.helpers.apps import App

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

LINES, LOG_CHARACTERS = 60, 4_000


class PageLog:
    """The last things that happened on a page, with the seconds since it was opened."""

    def __init__(self, page: Page) -> None:
        self._started = monotonic()
        self._lines: deque[str] = deque(maxlen=LINES)
        page.on("console", lambda message: self._add(f"console: {message.text}"))
        page.on("pageerror", lambda error: self._add(f"error: {error}"))
        page.on("request", lambda request: self._request("sent", request))
        page.on("requestfinished", lambda request: self._request("ended", request))
        page.on("requestfailed", lambda request: self._request(f"failed ({request.failure})", request))

    def _request(self, what: str, request: Request) -> None:
        if any(part in request.url for part in ("/queue/", "/run/", "/upload", "/cancel")):
            body = (request.post_data or "") if request.method == "POST" and "/upload" not in request.url else ""
            self._add(f"{what}: {request.url.partition('/gradio_api')[2][:60]} {body[:160]}")

    def _add(self, line: str) -> None:
        self._lines.append(f"{monotonic() - self._started:7.2f} {line[:300]}")

    def __str__(self) -> str:
        return "\n".join(self._lines)


def sections(arguments: dict[str, object], pages: list[PageLog]) -> list[tuple[str, str]]:
    """Return the sections of a report: each page, and the end of the log of each app among a test's arguments."""
    apps = [(name, value) for name, value in arguments.items() if isinstance(value, App)]
    logs = [(f"log of {name}", app.log.read_text(errors="replace")[-LOG_CHARACTERS:]) for name, app in apps]
    return [*((f"page {number}", str(page)) for number, page in enumerate(pages, 1)), *logs]
