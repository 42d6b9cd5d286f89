"""What the servers are started with: folders, environments and models."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compatibility.environments import OFFLINE, Environments
from local_server import NotStarted, free_port, running_server

START_SECONDS = 400


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a server: its address with /v1, its key ("" if it asks for none) and its name."""

    url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class Server:
    """The targets of one server; None where this machine has no model for the task."""

    chat: Target | None
    embed: Target | None
    rerank: Target | None


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the servers are started with: a folder for models and logs, and the environments of programs."""

    folder: Path
    environments: Environments

    def without_run(self, text: str) -> str:
        """Return a text without what only this run has: its folder and ports."""
        return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text.replace(str(self.folder), "FOLDER"))

    @contextmanager
    def process(
        self, name: str, command: Sequence[str | Path], variables: Mapping[str, str], health: str
    ) -> Iterator[str]:
        """Run a server, whose command and variables have PORT for the port; yield its address when `health` answers."""
        port = free_port()
        words = [str(word).replace("PORT", str(port)) for word in command]
        environment = {key: value.replace("PORT", str(port)) for key, value in variables.items()}
        url, log = f"http://127.0.0.1:{port}", self.folder / f"{name}.log"
        settings = {**os.environ, **OFFLINE, **environment}
        try:
            with running_server(words, f"{url}{health}", log, environment=settings, seconds=START_SECONDS):
                yield f"{url}/v1"
        except NotStarted as error:
            last = next((line for line in reversed(error.lines) if line.strip()), "it printed nothing")
            raise RuntimeError(f"it did not start ({last[:200]})") from error
