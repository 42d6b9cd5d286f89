"""The child process of `SubprocessEngine`: runs an engine until standard input closes.

It reads its settings from standard input, and writes the engine's address and key, or an error, to standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from backends.errors import NotConfigured
from backends.kinds.embedded.engine import Engine
from backends.machine.processors import use_batch_scheduling


def main() -> None:
    """Start the engine, report it, and wait for the end of standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_batch_scheduling()
    settings = json.loads(sys.stdin.readline())
    # llama.cpp prints to standard output; send that to standard error, so that the reply stays the only line.
    replies, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)
    try:
        engine = Engine(Path(settings.pop("path")), **settings)
    except NotConfigured as error:
        print(json.dumps({"error": error.message, "remedy": error.remedy}), file=replies, flush=True)
        return
    print(json.dumps({"url": engine.url, "key": engine.key, "name": engine.name}), file=replies, flush=True)
    sys.stdin.read()
    os._exit(0)  # without cleanup: the parent process is gone


if __name__ == "__main__":
    main()
