"""ASGI middleware around Gradio's routes for signing in: expired sessions, and failures as pages for people."""

from __future__ import annotations

import html
import logging
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse

from ui.languages import choose_language
from ui.sign_in.session import end_expired, end_pending
from ui.sign_in.strings import NOTICES, Notice

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)
LOGIN, CALLBACK = "/login/huggingface", "/login/callback"


class SignInMiddleware:
    """Signs out a browser with an expired token when it opens the page; answers where Gradio fails with HTTP 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = scope.get("session")
        if scope["type"] != "http" or session is None:
            return await self._app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == "/":
            end_expired(session)
        if path == CALLBACK and Request(scope).query_params.get("error"):
            end_pending(session)
            return await _page(scope, 403)(scope, receive, send)
        if path not in (LOGIN, CALLBACK):
            return await self._app(scope, receive, send)
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if started:
                raise
            # Not the error's text: the provider's answer may be in it.
            logger.warning("Signing in failed: %s at %s", type(error).__name__, path)
            end_pending(session)
            await _page(scope, 502)(scope, receive, send)


def _page(scope: Scope, status: int) -> HTMLResponse:
    """Return the page of a sign-in that was cancelled (403) or failed (502), in the language of the browser."""
    language = choose_language(Request(scope).headers.get("accept-language", ""), NOTICES)
    notices = NOTICES[language]
    notice: Notice = notices.cancelled if status == 403 else notices.failed
    title, text = html.escape(notice.title), html.escape(notice.text)
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>body{{font:1rem/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem;"
        f"color-scheme:light dark}}</style><h1>{title}</h1><p>{text}</p>"
        f'<p><a href="/">{html.escape(notices.back)}</a></p></html>',
        status,
        headers={"cache-control": "no-store"},
    )
