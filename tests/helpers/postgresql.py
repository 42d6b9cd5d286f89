"""A PostgreSQL server of the tests' own: Debian's package, in a folder of its own, on a free port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.conftest import missing
from tests.helpers.servers import free_port, wait_until

USER = "postgres"  # of the package; the server refuses to run as root
# A test kills the process, not the machine: nothing is lost that the kernel has.
SETTINGS = ("fsync=off", "shared_buffers=16MB", "max_connections=40", "autovacuum=off", "listen_addresses=127.0.0.1")


class Postgres:
    """The server, which a test may kill and start again."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.port = port
        self._programs, self._folder = programs, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", USER, "--no-sync")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database, and return its URL."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = [part for setting in SETTINGS for part in ("-c", setting)]
        command = [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port), "-k", self._folder]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *options], stdout=log, stderr=log, user=_user(), cwd="/")
        wait_until(self._answers, message=lambda: (self._folder / "log").read_text())

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
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, user=_user(), cwd="/")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server until the block ends."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    if not programs and not on_path:
        missing("postgresql (apt-get install postgresql)")
    program = programs[-1] if programs else Path(str(on_path))
    with tempfile.TemporaryDirectory() as name:  # pytest's folders are closed to other users
        if user := _user():
            shutil.chown(name, user)
        server = Postgres(program.parent, Path(name), free_port())
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _user() -> str | None:
    """The user that runs the server if the tests run as root."""
    return USER if os.geteuid() == 0 else None
