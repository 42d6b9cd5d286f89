"""Ends connections that send something else than Streamlit's page, before Streamlit logs a traceback about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNSUPPORTED_DATA = 1003  # https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1


class BackMessages:
    """ASGI middleware that reads each message of a page's WebSocket first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await self._app(scope, receive, send)
        closed = False

        async def receive_valid() -> Message:
            nonlocal closed
            message = await receive()
            if message["type"] == "websocket.receive" and not _is_valid(message.get("bytes")):
                closed = True
                await send({"type": "websocket.close", "code": UNSUPPORTED_DATA})
                return {"type": "websocket.disconnect", "code": UNSUPPORTED_DATA}
            return message

        async def send_open(message: Message) -> None:
            if not closed:
                await send(message)

        return await self._app(scope, receive_valid, send_open)


def _is_valid(data: bytes | None) -> bool:
    if data is None:  # text
        return False
    try:
        BackMsg.FromString(data)
    except DecodeError:
        return False
    return True
