"""The llama.cpp server of xllamacpp, in a child process that runs `backends.kinds.embedded.__main__`."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.kinds.embedded.engine import load_error

_children: set[subprocess.Popen[bytes]] = set()


class SubprocessEngine:
    """Like `Engine`, in a child process, which ends with this one.

    xllamacpp holds the GIL while it loads a model: in one process, a server couldn't even answer that it isn't ready.
    """

    def __init__(self, path: Path, **settings: Any) -> None:
        # A new session: Ctrl-C reaches only this process, which then ends the child.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "backends.kinds.embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        _children.add(self._process)  # before the model has loaded, so that `kill_children` can end it meanwhile
        self._finalizer = weakref.finalize(self, _end_process, self._process)
        reply = self._start({"path": str(path), **settings})
        if reply is None:
            status = self._process.wait()
            self.stop()
            raise load_error(path, f"it ended with {status}")
        if "error" in reply:
            self.stop()
            raise NotConfigured(reply["error"], reply["remedy"])
        self.url, self.key, self.name = reply["url"], reply["key"], reply["name"]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process."""
        self._finalizer()

    def _start(self, settings: dict[str, Any]) -> dict[str, str] | None:
        """Send the settings and wait for the reply; None if the process ends without one."""
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        self._process.stdin.write(json.dumps(settings).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        reply: dict[str, str] | None = json.loads(line) if line else None
        return reply


def kill_children() -> None:
    """End the processes of all engines at once, including those that are still loading."""
    for process in list(_children):
        process.kill()


def _end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process and close its pipes."""
    process.kill()
    process.communicate()
    _children.discard(process)
