"""Checks what a client sends over a page's WebSocket, before Streamlit acts on it or logs a traceback about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard_pages.widget_values import are_valid

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
UNSUPPORTED_DATA, TOO_LARGE = 1003, 1009
# A question and a system prompt of the longest have 160 kB. Streamlit would read 20 MB, which become gigabytes.
MAX_BYTES = 500_000
MAX_FILE_NAMES = 20  # to upload, in one message: Streamlit answers each with two addresses
# What the pages need. Streamlit also clears the caches of all visitors for a client, and tells the files of its
# checkout.
KINDS = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request")


class BackMessages:
    """ASGI middleware that reads each message of a page's WebSocket first.

    It ends the connection when a client sends something else than Streamlit's page. What that page sends for menus that
    the dashboard doesn't have, it ignores.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await self._app(scope, receive, send)
        closed = False

        async def receive_valid() -> Message:
            nonlocal closed
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                data = message.get("bytes")
                back_message = _parse(data)
                if back_message is None:
                    closed = True
                    code = TOO_LARGE if len(data or b"") > MAX_BYTES else UNSUPPORTED_DATA
                    await send({"type": "websocket.close", "code": code})
                    return {"type": "websocket.disconnect", "code": code}
                if _is_needed(back_message):
                    return message

        async def send_open(message: Message) -> None:
            if not closed:
                await send(message)

        return await self._app(scope, receive_valid, send_open)


def _parse(data: bytes | None) -> BackMsg | None:
    """Return a client's message, or None if no page sends it."""
    if data is None or len(data) > MAX_BYTES:  # None: text
        return None
    try:
        message = BackMsg.FromString(data)
    except DecodeError:
        return None
    names = message.file_urls_request.file_names
    return message if len(names) <= MAX_FILE_NAMES and are_valid(message.rerun_script.widget_states) else None


def _is_needed(message: BackMsg) -> bool:
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") == "deferred_file"  # a download
    return kind in KINDS
