"""A real Redis server on loopback that a test can fill, stop, pause and start again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.conftest import missing
from tests.helpers.servers import free_port, wait_until


class RedisServer:
    """A server without persistence: what it knows is gone when it starts again."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.client = redis.Redis(port=self.port, host="127.0.0.1")

    def start(self) -> None:
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        output = (self._folder / "redis.log").open("ab")
        with output:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=output, stderr=output)
        wait_until(self._answers)

    def stop(self) -> None:
        """Kill it, as a machine that is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Let it accept connections, and answer none."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def fill(self) -> None:
        """Let it refuse all writes until `empty` is called."""
        self.client.config_set("maxmemory", "1")

    def empty(self) -> None:
        self.client.config_set("maxmemory", "0")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False


@contextmanager
def serving_redis(folder: Path) -> Iterator[RedisServer]:
    """Start a Redis server, and kill it at the end."""
    program = shutil.which("redis-server")
    if not program:
        missing("redis-server (apt-get install redis-server)")
    server = RedisServer(str(program), folder)
    server.start()
    try:
        yield server
    finally:
        server.client.close()
        server.stop()
