"""The tags and the picture with which other sites show a link to a page, and a script that comes before Gradio's.

Gradio's template has tags of its own ("Gradio", "Click to try out the app!"), and adds a page's `head` with a script,
which those sites don't run, and which comes late. Streamlit's has none, and a script sets its title.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse

from ui.static.scripts import loader_timer_js

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE_PATH = "/static/preview.png"  # below a path that the guard opens
WIDTH, HEIGHT = 1200, 630  # what Open Graph and its readers recommend
_TAG = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^<>]*>\s*')
_STREAMLIT_TITLE = re.compile(rb"<title>[^<]*</title>")


class LinkPreview:
    """ASGI middleware: it replaces the template's tags in the page, adds the script, and serves the picture.

    `streamlit` if the pages are Streamlit's: then there are several, and they get a title and no script.
    """

    def __init__(
        self, app: ASGIApp, title: str, description: str, picture: Path | None = None, *, streamlit: bool = False
    ) -> None:
        self._app, self._picture, self._streamlit = app, picture, streamlit
        last = f"<title>{escape(title)}</title>" if streamlit else f"<script>{loader_timer_js()}</script>"
        self._tags = "".join([*_tags(title, description, bool(picture)), last]).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_get = scope["type"] == "http" and scope["method"] == "GET"
        path = scope["path"].removeprefix(scope.get("root_path", "")) if is_get else ""
        if self._picture and path == PICTURE_PATH:
            await FileResponse(self._picture)(scope, receive, send)
        else:
            is_page = is_get and ("." not in path if self._streamlit else path == "/")
            if is_page and self._streamlit:  # it would compress the page before its tags are there
                scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"accept-encoding"]}
            await self._app(scope, receive, self._send_with_tags(send) if is_page else send)

    def _send_with_tags(self, send: Send) -> Send:
        """Return what sends the page with the tags; the start waits for them, because it has the length."""
        start: Message = {}

        async def send_with_tags(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_html(message):
                start.update(message)
                return
            if start:  # a page in several parts stays as it is
                if not message.get("more_body"):
                    body = self._with_tags(message.get("body", b""))
                    MutableHeaders(scope=start)["content-length"] = str(len(body))
                    message = {**message, "body": body}
                await send(dict(start))
                start.clear()
            await send(message)

        return send_with_tags

    def _with_tags(self, page: bytes) -> bytes:
        kind = _STREAMLIT_TITLE if self._streamlit else _TAG
        first = kind.search(page)
        return page[: first.start()] + self._tags + kind.sub(b"", page[first.start() :]) if first else page


def _is_html(start: Message) -> bool:
    """Return whether the start of a response is that of a whole page."""
    content_type: str = MutableHeaders(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and content_type.startswith("text/html")


def _tags(title: str, description: str, picture: bool) -> Iterator[str]:
    values = {"type": "website", "title": title, "description": description}
    if picture and (host := os.environ.get("SPACE_HOST")):  # its address must be a whole one
        values |= {"image": f"https://{host}{PICTURE_PATH}", "image:width": str(WIDTH), "image:height": str(HEIGHT)}
        yield '<meta name="twitter:card" content="summary_large_image">'
    for name, value in values.items():
        yield f'<meta property="og:{name}" content="{escape(value)}">'
