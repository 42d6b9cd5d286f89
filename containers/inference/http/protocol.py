"""Uvicorn's HTTP protocol with limits for clients that are slow, silent or too many."""

from __future__ import annotations

import asyncio
import enum
import logging
import socket
import sys
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from backends.http.sockets import send_at_once

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 64 * 1024
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
BODY_SECONDS = 65.0  # longer than the app waits: it answers 408 first
# Linux buffers megabytes for a client that doesn't read, so that a whole answer would seem to be sent.
SEND_BUFFER_BYTES = 64 * 1024
# Requests that wait on a connection for the answer to an earlier one; no other limit counts them.
MAX_PIPELINED = 16
OTHER_DESCRIPTORS = 64  # the log, the engine's pipes, the listening socket, and connections that are being closed


class State(enum.Enum):
    """What happens next on a connection."""

    HEAD = "the client sends a request's head"
    BODY = "the client sends a request's body"
    ANSWER = "the server answers"
    IDLE = "the client may send another request"


class HeadWithBody:
    """A connection for one response: its head leaves with the beginning of its body, in one packet.

    Alone, the head wakes the client, which then takes the processor that the body needs: 1 ms. (2026-11-30.)
    """

    def __init__(self, cycle: RequestResponseCycle, loop: asyncio.AbstractEventLoop) -> None:
        self._cycle, self._transport, self._loop = cycle, cycle.transport, loop
        self._head: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._cycle.response_started:  # 100 Continue
            self._transport.write(data)
        elif self._head is None:
            self._head = data
            self._loop.call_soon(self._flush)  # a body that isn't there yet doesn't keep the head waiting
        else:
            self._flush(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self, body: bytes = b"") -> None:
        self._cycle.transport = self._transport  # the rest is written directly
        head, self._head = self._head, b""
        parts = [part for part in (head, body) if part]  # asyncio tries to send an empty one forever (Python 3.12)
        if parts and not self._transport.is_closing():
            self._transport.writelines(parts)


class GuardedProtocol(HttpToolsProtocol):
    """Closes connections whose client keeps the server waiting, or whose request head is too large.

    `client_seconds` is the time for a whole head, and the longest time in which a client reads nothing of an answer.
    If there are more than `max_connections`, the one that has waited longest for its client is closed.
    """

    client_seconds: float
    max_connections: int

    state = State.HEAD
    waiting_since = 0.0  # the loop's time at which `state` began
    _head_bytes: int | None = 0  # size of the unfinished head; None inside a body
    _message_complete = False  # the current data ended a message, so it wasn't part of a head
    _active: RequestResponseCycle | None = None  # the one being answered; `cycle` is the last one received
    _wait_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        send_at_once(sock)
        self._enter(State.HEAD)
        if len(self.connections) > self.max_connections:
            self._close_oldest()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        _cancel(self._wait_timer, self._write_timer)
        # Uvicorn informs only the last request received, which with pipelining isn't the one being answered.
        if self._active and not self._active.response_complete:
            self._active.disconnected = True
            self._active.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._message_complete = False
        super().data_received(data)
        if self._head_bytes is not None and not self._message_complete:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(HEAD_TOO_LARGE)
                self.transport.close()
        if len(self.pipeline) > MAX_PIPELINED:
            self.transport.close()
        self._update()

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head_bytes, self._message_complete = 0, True

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writes()

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._write_timer)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: object) -> None:
        self._active = cycle
        cycle.transport = cast(asyncio.Transport, HeadWithBody(cycle, self.loop))
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]

    def _update(self) -> None:
        if self.transport.is_closing():
            self._watch_writes()
        elif (state := self._current_state()) is not self.state:  # more of the same doesn't extend the time
            self._enter(state)

    def _current_state(self) -> State:
        active = self._active
        if active and not active.response_complete and not active.more_body:
            return State.ANSWER
        if self._head_bytes is None:
            return State.BODY
        return State.HEAD if self._head_bytes or not active else State.IDLE

    def _enter(self, state: State) -> None:
        _cancel(self._wait_timer)
        self.state, self.waiting_since = state, self.loop.time()
        limits = {State.HEAD: self.client_seconds, State.BODY: BODY_SECONDS, State.IDLE: self.timeout_keep_alive}
        if state in limits:
            self._wait_timer = self.loop.call_later(limits[state], self._end_wait)

    def _end_wait(self) -> None:
        self.transport.close()
        self._watch_writes()

    def _close_oldest(self) -> None:
        """Make room by closing a connection that waits for its client; a new one does too, so there is one."""
        waiting = [
            each
            for each in self.connections
            if isinstance(each, GuardedProtocol) and each.state is not State.ANSWER and not each.transport.is_closing()
        ]
        min(waiting, key=lambda each: each.waiting_since).transport.abort()

    def _watch_writes(self) -> None:
        """Close the connection if the client reads nothing for `client_seconds`."""
        _cancel(self._write_timer)
        if unsent := self.transport.get_write_buffer_size():
            self._write_timer = self.loop.call_later(self.client_seconds, self._check_progress, unsent)

    def _check_progress(self, unsent_before: int) -> None:
        if self.transport.get_write_buffer_size() < unsent_before:
            self._watch_writes()
        else:
            logger.info("closed a connection whose client reads nothing")
            self.transport.abort()


def protocol(*, client_seconds: float, max_connections: int) -> type[GuardedProtocol]:
    """Return the protocol class with these limits.

    Half of the process's file descriptors limit the connections too: an answer also needs one to the model.
    """
    if sys.platform != "win32":
        import resource

        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        max_connections = max(1, min(max_connections, (descriptors - OTHER_DESCRIPTORS) // 2))
    return type("Protocol", (GuardedProtocol,), {"client_seconds": client_seconds, "max_connections": max_connections})


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer:
            timer.cancel()
