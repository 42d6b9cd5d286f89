"""llama.cpp's engine, through xllamacpp: in this process, or in one of its own.

xllamacpp always opens an HTTP port on 127.0.0.1. It is the way in for us too: the same streaming client as
for any server, continuous batching, and a connection whose closing stops the generation. A random key keeps
other users and web pages of this machine out.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.processors import limit_spin_wait, usable_processors, use_batch_scheduling

PROMPT_CACHE_MIB = 256
_children: set[subprocess.Popen[bytes]] = set()


class Engine:
    """A running llama.cpp server: its address, its key, and the name of its model."""

    alive = True

    def __init__(self, path: Path, *, context: int, parallel: int, threads: int | None) -> None:
        limit_spin_wait()
        import xllamacpp

        self.key = secrets.token_urlsafe(32)
        self.name = path.stem
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {self.name}
        params.n_ctx = context * parallel
        params.n_parallel = parallel
        params.cpuparams.n_threads = threads or usable_processors()
        params.api_keys = [self.key]
        params.cors_origins = "http://127.0.0.1"
        params.ui = params.endpoint_slots = params.endpoint_metrics = False
        params.cache_ram_mib = PROMPT_CACHE_MIB
        params.verbosity = 0
        try:
            self._server = xllamacpp.Server(params)
        except Exception as error:
            raise not_loaded(path, str(error)) from error
        self.url = f"{self._server.listening_address}/v1"

    def stop(self) -> None:
        """End it; its threads must be gone before the interpreter takes the library apart."""
        del self._server


class SubprocessEngine:
    """The same in a process of its own, which ends with this one.

    xllamacpp holds Python still for as long as it loads a model: a server could not even say that it is not ready.
    """

    def __init__(self, path: Path, **settings: Any) -> None:
        # A session of its own: Ctrl-C is for us, who then end it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "backends.embedded.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        _children.add(self._process)  # before it has loaded: whoever leaves meanwhile must be able to end it
        self._end = weakref.finalize(self, _ended, self._process)  # also when nobody holds it any more
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        self._process.stdin.write(json.dumps({"path": str(path), **settings}).encode() + b"\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline()
        if not told:
            status = self._process.wait()
            self.stop()
            raise not_loaded(path, f"it ended with {status}")
        said = json.loads(told)
        if "error" in said:
            self.stop()
            raise NotConfigured(said["error"], said["remedy"])
        self.url, self.key, self.name = said["url"], said["key"], said["name"]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End it."""
        self._end()


def _ended(process: subprocess.Popen[bytes]) -> None:
    """End a process, and let go of its pipes."""
    process.kill()
    process.communicate()
    _children.discard(process)


def kill_children() -> None:
    """End the processes of all engines at once, also of those that still load."""
    for process in list(_children):
        process.kill()


def not_loaded(path: Path, reason: str) -> NotConfigured:
    """The error for a model that llama.cpp refuses."""
    return NotConfigured(
        f"llama.cpp could not load {path.name} ({reason}).", "It must be a GGUF model that fits into memory."
    )


def main() -> None:
    """Be the engine of an `SubprocessEngine`: settings come by standard input, whose end is the end of this process too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_batch_scheduling()
    settings = json.loads(sys.stdin.readline())
    # What llama.cpp itself prints must not come between what we say.
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)
    try:
        engine = Engine(Path(settings.pop("path")), **settings)
    except NotConfigured as error:
        print(json.dumps({"error": error.message, "remedy": error.remedy}), file=answers, flush=True)
        return
    print(json.dumps({"url": engine.url, "key": engine.key, "name": engine.name}), file=answers, flush=True)
    sys.stdin.read()
    os._exit(0)  # at once: whoever asked is gone


if __name__ == "__main__":
    main()
