"""PostgreSQL and Redis as processes on loopback, from Debian's packages, which their user may kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from local_server import NotStarted, free_port

START_SECONDS = 60
POSTGRES_USER = "postgres"  # of the package; the server refuses to run as root
# These are killed, not their machine: nothing is lost that the kernel has.
POSTGRES_SETTINGS = (
    "fsync=off",
    "shared_buffers=16MB",
    "max_connections=40",
    "autovacuum=off",
    "listen_addresses=127.0.0.1",
)


class NotInstalled(Exception):
    """A program is missing; the text names it with its package."""


class Postgres:
    """A PostgreSQL server with its data in a folder of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", POSTGRES_USER, "--no-sync")
        self.port = free_port()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{POSTGRES_USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database, and return its URL."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = [part for setting in POSTGRES_SETTINGS for part in ("-c", setting)]
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._folder / "data",
            "-p",
            str(self.port),
            "-k",
            self._folder,
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *options], stdout=log, stderr=log, user=_user(), cwd="/")
        _wait(self._process, self._answers, self._folder / "log")

    def kill(self) -> None:
        """End the server at once, with all its connections."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, user=_user(), cwd="/")


class RedisServer:
    """A Redis server without persistence: what it knows is gone when it starts again."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.client = redis.Redis(port=self.port, host="127.0.0.1")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        output = (self._folder / "redis.log").open("ab")
        with output:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=output, stderr=output)
        _wait(self._process, self._answers, self._folder / "redis.log")

    def stop(self) -> None:
        """End it as a machine that is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Let it accept connections, and answer none."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process:
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


def find_postgres() -> Path:
    """Return PostgreSQL's server; `NotInstalled` without it."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if programs:
        return programs[-1]
    if on_path := shutil.which("postgres"):
        return Path(on_path)
    raise NotInstalled("postgresql (apt-get install postgresql)")


def find_redis() -> str:
    """Return Redis' server; `NotInstalled` without it."""
    if program := shutil.which("redis-server"):
        return program
    raise NotInstalled("redis-server (apt-get install redis-server)")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a PostgreSQL server until the block ends; `NotInstalled` without its program."""
    program = find_postgres()
    with tempfile.TemporaryDirectory() as name:  # one that another user may enter
        if user := _user():
            shutil.chown(name, user)
        server = Postgres(program.parent, Path(name))
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """Run a Redis server until the block ends; `NotInstalled` without its program."""
    server = RedisServer(find_redis(), folder)
    try:
        server.start()
        yield server
    finally:
        server.client.close()
        server.stop()


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path) -> None:
    """Wait until a server answers; `NotStarted` if it ended: another one can have its port by now."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is not None or not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(log.read_text(errors="replace").splitlines())
        time.sleep(0.05)


def _user() -> str | None:
    """The user that runs PostgreSQL if this process runs as root."""
    return POSTGRES_USER if os.geteuid() == 0 else None
