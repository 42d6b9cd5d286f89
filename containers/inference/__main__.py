"""`python -m inference [serve]`: serve a model until SIGTERM, then finish what was begun and exit 0."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from backends import SpaceportError
from backends.embedded import engine
from inference import logs
from inference.app import create_app
from inference.protocol import Protocol
from inference.service import Service
from inference.settings import Settings, from_environment, misspelt

logger = logging.getLogger("inference")

# Longer than the 60 s for which the common load balancers keep a connection, or they would send into a closed one.
KEEP_ALIVE = 75


class Server(uvicorn.Server):
    """Serves from the first moment, loads the model meanwhile, and drains at the first signal; the second ends it."""

    def __init__(self, settings: Settings) -> None:
        self.service = Service(settings)
        self.failure: SpaceportError | None = None
        self._drain: asyncio.Task[None] | None = None
        super().__init__(
            uvicorn.Config(
                create_app(self.service),
                settings.host,
                settings.port,
                http=Protocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=1,
            )
        )

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        life = asyncio.create_task(self._live())
        try:
            await super().serve(sockets)
        finally:
            life.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal, between two bytecodes of whatever runs: the loop takes it from here."""
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._drain is not None:
            self.should_exit = self.force_exit = True
            return
        self._drain = asyncio.create_task(self._drained())

    async def _drained(self) -> None:
        # The port stays open: probes see the 503 of /ready, and who comes late is told to go elsewhere.
        await self.service.drain()
        if not self.service.loaded:
            _leave()
        self.should_exit = True

    async def _live(self) -> None:
        """Load and watch the model; one that cannot be used ends the server."""
        try:
            await self.service.run()
        except SpaceportError as error:
            self.failure = error
        except Exception as error:
            logger.exception("the model could not be loaded")
            self.failure = SpaceportError(f"The model could not be loaded ({type(error).__name__}).")
        self.should_exit = True


def main(arguments: list[str]) -> int:
    """Run the server; the exit status is 0 after a signal, 1 for a model that will not work, 2 for wrong settings."""
    if arguments not in ([], ["serve"]):
        print(f"error: {' '.join(arguments)} is no command.\n  Write serve, or nothing.", file=sys.stderr)
        return 2
    try:
        settings = from_environment()
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    for line in misspelt():
        logger.warning(line)
    server = Server(settings)
    gc.freeze()  # what is loaded by now lives as long as the server: no collection has to look at it
    try:
        server.run()
    except SystemExit:  # uvicorn has said why, such as a port that is taken
        return 1
    if server.failure:
        logger.error(server.failure.message, extra={"fields": {"remedy": server.failure.remedy}})
        return 1
    logger.info("ended")
    return 0


def _leave() -> None:
    """End now: a thread that still loads a model could be waited for longer than the platform waits for us."""
    engine.kill_children()
    logger.info("ended before the model was loaded")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the server listens to it: PID 1 ignores it else
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
