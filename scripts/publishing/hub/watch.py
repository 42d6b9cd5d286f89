"""Waits until a Space runs the pushed commit, and prints its build log meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from publishing.errors import HubError, SpaceFailed
from publishing.hub.client import Hub, redact, runtime_values, translate_errors

FAILED_STAGES = {
    "NO_APP_FILE": "It has no app file: check app_file in its README.",
    "CONFIG_ERROR": "Its front matter is wrong.",
    "BUILD_ERROR": "The build failed: see the log above.",
    "RUNTIME_ERROR": "The app ended after the build: see the log above.",
    "DELETING": "It is being deleted.",
}
INACTIVE_STAGES = {
    "PAUSED": "It is paused: restart it in its settings.",
    "STOPPED": "It is stopped.",
    "SLEEPING": "It is asleep: open its page.",
}
RUNTIME_ATTEMPTS = 3
_ERROR_LINE = re.compile(r"error|exception|failed|traceback|no matching|could not|denied", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """The longest wait, and the time between two requests, in seconds."""

    timeout: float = 1800.0
    poll: float = 3.0


def wait_until_running(
    hub: Hub, repo: str, sha: str, options: WaitOptions, report: Callable[[str], None] = print
) -> None:
    """Return when the stage is RUNNING and the running commit is `sha`; the stage alone may be the old image's."""
    deadline = time.monotonic() + options.timeout
    log = BuildLog(hub, repo, report)
    log.start()
    previous = ""
    while True:
        runtime = _runtime(hub, repo)
        stage, commit = str(runtime.get("stage", "")), str(runtime.get("sha", ""))
        if stage != previous:
            report(f"{repo}: {stage.lower().replace('_', ' ')}")
            previous = stage
        if stage == "RUNNING" and commit == sha:
            return
        if stage in FAILED_STAGES and commit in (sha, ""):
            log.finish()
            raise SpaceFailed(f"{repo} failed ({stage}).{log.error_lines()}", FAILED_STAGES[stage])
        if stage in INACTIVE_STAGES:
            raise SpaceFailed(f"{repo} isn't running ({stage}).", INACTIVE_STAGES[stage])
        if time.monotonic() > deadline:
            raise SpaceFailed(
                f"{repo} was not running {sha[:8]} after {options.timeout:g} s (stage {stage}, commit {commit[:8]}).",
                "Open its page; for a longer wait, pass --timeout.",
            )
        time.sleep(options.poll)


def _runtime(hub: Hub, repo: str) -> dict[str, Any]:
    """Fetch the Space's runtime; repeat a request that failed on the server's side."""
    for attempt in range(1, RUNTIME_ATTEMPTS + 1):
        try:
            with translate_errors(f"the state of {repo}"):
                return runtime_values(hub.api.get_space_runtime(repo))
        except HubError as error:
            if attempt == RUNTIME_ATTEMPTS or (error.status and error.status < 500 and error.status != 429):
                raise
            time.sleep(1)
    raise AssertionError  # the loop returns or raises


class BuildLog:
    """Follows the build log in a thread; a broken stream doesn't fail the Space."""

    def __init__(self, hub: Hub, repo: str, report: Callable[[str], None]) -> None:
        self._hub, self._repo, self._report = hub, repo, report
        self._lines: deque[str] = deque(maxlen=400)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Wait up to 5 s for the last lines."""
        self._thread.join(timeout=5)

    def error_lines(self) -> str:
        """Return the last lines that look like errors, or the last lines of all."""
        lines = [line for line in self._lines if _ERROR_LINE.search(line)] or list(self._lines)
        return "".join(f"\n  {line}" for line in lines[-10:])

    def _follow(self) -> None:
        try:
            for line in self._hub.api.fetch_space_logs(self._repo, build=True, follow=True):
                text = redact(line).rstrip()
                self._lines.append(text)
                self._report(f"  {text}")
        except Exception as error:  # the log is optional: the stage decides
            self._report(f"  (the build log stopped: {type(error).__name__})")
