"""The process of every server: serves a model until SIGTERM, then finishes running answers and exits with 0."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from types import FrameType

import uvicorn
from fastapi import FastAPI

from backends import SpaceportError, telemetry
from backends.embedded.subprocess_engine import kill_children
from inference import logs
from inference.http.protocol import protocol
from inference.lifecycle import Lifecycle
from inference.settings import S, read, warnings

logger = logging.getLogger("inference")

# Longer than the 60 s for which common load balancers reuse a connection; they would write to a closed one otherwise.
KEEP_ALIVE_SECONDS = 75


class Server(uvicorn.Server):
    """Listens before the model is loaded, drains after the first signal, and stops at once after the second."""

    def __init__(self, service: Lifecycle, app: FastAPI) -> None:
        self.service, settings = service, service.settings
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
        await self.service.drain()
        if not self.service.loaded:
            _exit_now()
        self.should_exit = True

    async def _run_service(self) -> None:
        """Load the model and check its health; stop the server if it can't be used."""
        try:
            await self.service.run()
        except SpaceportError as error:
            self.failure = error
        except Exception as error:
            logger.exception("the model could not be loaded")
            self.failure = SpaceportError(f"The model could not be loaded ({type(error).__name__}).")
        self.should_exit = True


def run_server(
    cls: type[S],
    create: Callable[[S], tuple[Lifecycle, FastAPI]],
    name: str,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Run the server that `create` makes of its settings, a `cls`; `name` is its name in traces.

    Returns 0 after a signal, 1 if the model or the port fails, 2 for wrong settings.
    """
    try:
        settings = read(cls, environment)
        telemetry.configure(name)
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    for line in warnings(environment, cls):
        logger.warning(line)
    server = Server(*create(settings))
    gc.freeze()  # objects that exist by now live as long as the server: collections can skip them
    try:
        server.run()
    except SystemExit:  # uvicorn has logged the reason, such as a port in use
        return 1
    if server.failure:
        logger.error(server.failure.message, extra={"fields": {"remedy": server.failure.remedy}})
        return 1
    logger.info("ended")
    return 0


def _exit_now() -> None:
    """Exit without waiting for a thread that still loads a model, which can outlast the platform's grace period."""
    kill_children()
    logger.info("ended before the model was loaded")
    sys.stdout.flush()
    os._exit(0)
