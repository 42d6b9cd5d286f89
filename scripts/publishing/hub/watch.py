"""Waits until a Space runs the pushed commit, and prints its build log meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from backends.hub.client import Hub, redact, runtime_values, translate_errors
from backends.hub.errors import HubError
from publishing.errors import SpaceNotReady
from publishing.hub.stages import ASLEEP, FAILED, STARTING, SpaceState

RUNTIME_ATTEMPTS = 3
_ERROR_LINE = re.compile(r"error|exception|failed|traceback|no matching|could not|denied", re.IGNORECASE)


# The Hub may go on with the stage from before a push for some seconds: ten polls are 30 s.
STALE_POLLS = 10
_UNKNOWN = SpaceState("", "")


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """The longest wait for a build, and then for the start; and the time between two requests, in seconds."""

    # The Hub itself ends an app that doesn't answer 30 minutes after its build: that is to be seen.
    timeout: float = 2400.0
    poll: float = 3.0


@dataclass(slots=True)
class _Watched:
    """The last state of a Space, and what the states so far say about it.

    `is_current` is whether it can't be the one from before a restart. `since` is when the build, or the start, began.
    """

    is_current: bool
    since: float
    state: SpaceState = _UNKNOWN
    polls: int = 0

    @property
    def lasts(self) -> bool:
        return self.polls > STALE_POLLS

    def is_about(self, sha: str) -> bool:
        """Whether the state is about this commit as it is now."""
        return self.state.commit == sha and (self.is_current or self.lasts)

    def update(self, state: SpaceState) -> bool:
        """Take the next state; return whether the stage is another one."""
        before, self.state = self.state, state
        self.polls = self.polls + 1 if state == before else 1
        self.is_current = self.is_current or bool(before.stage and state != before)
        if state.stage in STARTING and before.stage not in STARTING:
            self.since = time.monotonic()
        return state.stage != before.stage


def wait_until_running(
    hub: Hub, repo: str, sha: str, options: WaitOptions, report: Callable[[str], None] = print, *, is_new: bool = True
) -> None:
    """Return when the stage is RUNNING and the running commit is `sha`; the stage alone may be the old image's.

    If the commit isn't new, the Space was only restarted. Its first state can be from before that: it counts when it
    lasts, or after another one. A Space that is asleep is woken once. Raises `SpaceFailed` if the commit failed, and
    `SpaceNotReady` if the Space doesn't run for another reason, or is still on its way at the end of the time.
    """
    started = time.monotonic()
    log = BuildLog(hub, repo, report)
    log.start()
    watched, is_woken = _Watched(is_new, started), False
    while True:
        if watched.update(state := fetch_state(hub, repo)):
            report(f"{repo}: {state.stage.lower().replace('_', ' ')}")
        if state.stage == "RUNNING" and watched.is_about(sha):
            return
        if state.stage in ASLEEP and watched.lasts and not is_woken:
            report(f"{repo}: it's asleep; waking it")
            restart(hub, repo)
            is_woken, watched.polls = True, 0
        elif watched.lasts or (state.stage in FAILED and watched.is_about(sha)):
            _raise_error(state, repo, sha, log)
        if time.monotonic() > watched.since + options.timeout:
            raise _too_late(state, repo, sha, time.monotonic() - started)
        time.sleep(options.poll)


def fetch_state(hub: Hub, repo: str) -> SpaceState:
    """Fetch the Space's state; repeat a request that failed on the server's side."""
    for attempt in range(1, RUNTIME_ATTEMPTS + 1):
        try:
            with translate_errors(f"the state of {repo}"):
                return SpaceState.of(runtime_values(hub.api.get_space_runtime(repo)))
        except HubError as error:
            if attempt == RUNTIME_ATTEMPTS or (error.status and error.status < 500 and error.status != 429):
                raise
            time.sleep(1)
    raise AssertionError  # the loop returns or raises


def restart(hub: Hub, repo: str) -> None:
    """Restart a Space: it sleeps, or it gets another library and no commit."""
    with translate_errors(f"the restart of {repo}"):
        hub.api.restart_space(repo)


def _raise_error(state: SpaceState, repo: str, sha: str, log: BuildLog) -> None:
    """Raise what a state that lasts is about, unless it's about an earlier commit."""
    if state.stage in FAILED and state.commit not in (sha, ""):
        return
    if state.stage in FAILED:
        log.finish()
    if error := state.error(repo, sha, log.error_lines()):
        raise error


def _too_late(state: SpaceState, repo: str, sha: str, seconds: float) -> SpaceNotReady:
    commit = state.commit[:8] or "none"
    return SpaceNotReady(
        f"{repo} was not running {sha[:8]} after {seconds:.0f} s (stage {state.stage}, commit {commit}).",
        f"It has the files of {sha[:8]}, and may still start: open its page. For a longer wait, pass --timeout.",
        commit=sha,
    )


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
