"""Waits until a Space runs the commit that was pushed, with its build log on the way."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from publishing.errors import HubError, SpaceFailed
from publishing.hub import Hub, raw, redact, translated

FAILED = {
    "NO_APP_FILE": "It has no app file: look at app_file in its README.",
    "CONFIG_ERROR": "Its front matter is wrong.",
    "BUILD_ERROR": "It could not be built: look at the log above.",
    "RUNTIME_ERROR": "It was built and then ended: look at the log above.",
    "DELETING": "It is being deleted.",
}
ASLEEP = {"PAUSED": "It is paused: restart it in its settings.", "STOPPED": "It is stopped.", "SLEEPING": "It sleeps."}
_WRONG = re.compile(r"error|exception|failed|traceback|no matching|could not|denied", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, and how often the Hub is asked, in seconds."""

    timeout: float = 1800.0
    poll: float = 3.0


def wait(hub: Hub, repo: str, sha: str, patience: Patience, say: Callable[[str], None] = print) -> None:
    """Return when the stage is RUNNING and the running commit is `sha`; the stage alone may be the old image's."""
    deadline = time.monotonic() + patience.timeout
    log = BuildLog(hub, repo, say)
    log.start()
    last = ""
    while True:
        runtime = _runtime(hub, repo)
        stage, running = str(runtime.get("stage", "")), str(runtime.get("sha", ""))
        if stage != last:
            say(f"{repo}: {stage.lower().replace('_', ' ')}")
            last = stage
        if stage == "RUNNING" and running == sha:
            return
        if stage in FAILED and running in (sha, ""):
            log.finish()
            raise SpaceFailed(f"{repo} failed ({stage}).{log.wrong()}", FAILED[stage])
        if stage in ASLEEP:
            raise SpaceFailed(f"{repo} does not run ({stage}).", ASLEEP[stage])
        if time.monotonic() > deadline:
            raise SpaceFailed(
                f"{repo} was not running {sha[:8]} after {patience.timeout:g} s (stage {stage}, commit {running[:8]}).",
                "Look at its page; a longer wait: --timeout.",
            )
        time.sleep(patience.poll)


def _runtime(hub: Hub, repo: str) -> dict[str, Any]:
    """What the Hub says of the Space now; one question that fails is asked again, three are told."""
    for attempt in range(3):
        try:
            with translated(f"the state of {repo}"):
                return raw(hub.api.get_space_runtime(repo))
        except HubError as error:
            if attempt == 2 or (error.status and error.status < 500 and error.status != 429):
                raise
            time.sleep(1)
    raise AssertionError  # the loop returns or raises


class BuildLog:
    """The build log as it comes, in a thread; a stream that breaks is no failure of the Space."""

    def __init__(self, hub: Hub, repo: str, say: Callable[[str], None]) -> None:
        self._hub, self._repo, self._say = hub, repo, say
        self._last: deque[str] = deque(maxlen=400)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Give the last lines a moment to come."""
        self._thread.join(timeout=5)

    def wrong(self) -> str:
        """The lines that say what went wrong, or the last ones."""
        lines = [line for line in self._last if _WRONG.search(line)] or list(self._last)
        return "".join(f"\n  {line}" for line in lines[-10:])

    def _follow(self) -> None:
        try:
            for line in self._hub.api.fetch_space_logs(self._repo, build=True, follow=True):
                text = redact(line).rstrip()
                self._last.append(text)
                self._say(f"  {text}")
        except Exception as error:  # the log is a courtesy: the stage decides
            self._say(f"  (the build log broke off: {type(error).__name__})")
