"""A reader process as the page's process sees it."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import IO, Any

from rag.reading.processes.worker import Request

_PART_BYTES = 1_000_000
_WORKER = "rag.reading.processes.worker"
# No threads of numeric libraries, nor of onnxruntime, which markitdown imports: a fork would be without them.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}


class ReaderProcess:
    """One `rag.reading.processes.worker`, which ends with this process; `once`: after one request.

    It imports `modules` before its first file: the imports take a second, and a fork takes milliseconds.
    """

    def __init__(self, modules: Sequence[str], *, once: bool) -> None:
        # A program of its own, not `multiprocessing`: that one runs the page's app.py again in each process. It finds
        # modules where this process does. A group of its own keeps a terminal's signals away from it, such as Ctrl-C.
        # It has no session of its own: Linux would share the processors among sessions whatever their priority is.
        command = [sys.executable, "-P", "-m", _WORKER, *(["--once"] if once else []), *modules]
        environment = os.environ | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, process_group=0
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        weakref.finalize(self, _end_process, self._process).atexit = False  # its pool ends it, after those who use it
        threading.Thread(target=_pump, args=[self._process.stdout, self._lines], name="reader", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process and those that it started."""
        _end_process(self._process)

    def send(self, request: Request) -> None:
        """Send a request; a process that has ended answers it with an empty line."""
        assert self._process.stdin  # noqa: S101  # a pipe
        with contextlib.suppress(OSError):
            pickle.dump(tuple(request), self._process.stdin)
            self._process.stdin.flush()

    def receive(self, seconds: float) -> bytes | None:
        """Return the next line of the answer or a part of it, None if there is none yet, b"" if the process ended."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None


def _pump(stdout: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Move lines, and long ones in parts, into a queue, which has time-outs on every platform."""
    with stdout:
        while line := stdout.readline(_PART_BYTES):
            lines.put(line)
    lines.put(b"")


def _end_process(process: subprocess.Popen[Any]) -> None:
    """End the process and those that it started."""
    with contextlib.suppress(ProcessLookupError):  # another thread ends it, too
        if process.poll() is None:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    process.wait()
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
