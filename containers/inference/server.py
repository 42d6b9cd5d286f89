"""The server process: serves a model until SIGTERM, then finishes running answers and exits with 0."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Protocol, TypeVar

import uvicorn
from fastapi import FastAPI

from backends import SpaceportError, telemetry
from backends.kinds.embedded.subprocess_engine import kill_children
from backends.serving.listening import listen
from inference import logs
from inference.app import create_app
from inference.http.protocol import protocol
from inference.service import Service
from inference.settings import ServerSettings, Settings, read, warnings

logger = logging.getLogger("inference")

# Longer than the 60 s for which common load balancers reuse a connection; they would write to a closed one otherwise.
KEEP_ALIVE_SECONDS = 75


class Lifecycle(Protocol):
    """What a server does besides answering: `run` until it is cancelled, `drain` before the end."""

    loaded: bool  # once it has been ready

    async def run(self) -> None:
        """Raises a `SpaceportError` if the server can never answer."""
        ...

    async def drain(self) -> None: ...


S = TypeVar("S", bound=ServerSettings)
L = TypeVar("L", bound=Lifecycle)


class Server(uvicorn.Server):
    """Listens before the service is loaded, drains after the first signal, and stops at once after the second."""

    def __init__(self, service: Lifecycle, app: FastAPI, settings: ServerSettings) -> None:
        self.service = service
        self.failure: SpaceportError | None = None
        self._drain_task: asyncio.Task[None] | None = None
        super().__init__(
            uvicorn.Config(
                app,
                settings.host,
                settings.port,
                http=protocol(client_seconds=settings.client_seconds, max_connections=settings.max_connections),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nothing here depends on the client's address
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        service = asyncio.create_task(self._run_service())
        try:
            await super().serve(sockets)
        finally:
            service.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Pass the signal to the event loop: a handler can interrupt any bytecode."""
        self._loop.call_soon_threadsafe(self._shut_down)

    def _shut_down(self) -> None:
        if self._drain_task is not None:
            self.should_exit = self.force_exit = True
            return
        self._drain_task = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        # The port stays open: probes get the 503 of /ready, and new requests a 503 with Retry-After.
        try:
            await self.service.drain()
        except Exception:
            logger.exception("the drain failed")
        finally:
            if not self.service.loaded:
                _exit_now()
            self.should_exit = True

    async def _run_service(self) -> None:
        """Run the service, and stop the server if that can't be used."""
        try:
            await self.service.run()
        except SpaceportError as error:
            self.failure = error
        except Exception as error:
            logger.exception("the server can't go on")
            self.failure = SpaceportError(f"The server can't go on ({type(error).__name__}).")
        self.should_exit = True


def serve() -> int:
    """Run the inference server; see `serve_model`."""
    return serve_model("inference", Settings, Service, create_app)


def serve_model(name: str, cls: type[S], make_service: Callable[[S], L], make_app: Callable[[L], FastAPI]) -> int:
    """Run a server with the environment's settings.

    Returns 0 after a signal, 1 if the model or the port fails, 2 for wrong settings.
    """
    try:
        settings = read(cls)
        telemetry.configure(f"spaceport-{name}")
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 2
    service = make_service(settings)
    return run(Server(service, make_app(service), settings), settings, warnings(cls=cls))


def run(server: Server, settings: ServerSettings, remarks: Iterable[str] = ()) -> int:
    """Run a server and log `remarks` first; returns 0 after a signal, 1 if the service or the port fails."""
    logs.configure(settings.log_level)
    for line in remarks:
        logger.warning(line)
    gc.freeze()  # objects that exist by now live as long as the server: collections can skip them
    try:
        server.run(listen(settings.host, settings.port, setting="SPACEPORT_PORT"))
    except SpaceportError as error:
        server.failure = error
    except SystemExit:  # uvicorn has logged the reason
        return 1
    if server.failure:
        logger.error(server.failure.message, extra={"fields": {"remedy": server.failure.remedy}})
        return 1
    logger.info("ended")
    return 0


def _exit_now() -> None:
    """Exit without waiting for a thread that still loads a model, which can outlast the platform's grace period."""
    kill_children()
    logger.info("ended before it was ready")
    sys.stdout.flush()
    os._exit(0)
