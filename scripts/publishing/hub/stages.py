"""What a Space's stage says: whether its commit runs, has failed, or isn't to blame for a Space that doesn't run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.hub.client import redact
from publishing.errors import PublishError, SpaceFailed, SpaceNotReady

FAILED = {
    "NO_APP_FILE": "It has no app file: check app_file in its README.",
    "CONFIG_ERROR": "Its front matter is wrong.",
    "BUILD_ERROR": "The build failed: see the log above.",
    "RUNTIME_ERROR": "The app ended after the build: see the log above.",
    "DELETING": "It is being deleted.",
}
# SLEEPING isn't among the values of `SpaceStage`, but the Hub sends it. Gradio's client wakes it and STOPPED alike.
ASLEEP = {"SLEEPING", "STOPPED"}
PAUSED = "PAUSED"
# The image is built, and the app doesn't answer yet. These aren't among the values of `SpaceStage` either.
STARTING = {"APP_STARTING", "RUNNING_APP_STARTING"}
# What the Hub says when it is the Hub, or the account, that has no machine: "Scheduling failure: unable to schedule".
_NO_MACHINE = re.compile(r"(scheduling failure|(?!exit code).*\b(gpu quota|billing|payment|credits?)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SpaceState:
    """The stage of a Space, the commit that it is about ("" if the Hub names none), and the Hub's words about it."""

    stage: str
    commit: str
    reason: str = ""

    @classmethod
    def of(cls, runtime: Mapping[str, Any]) -> SpaceState:
        """Return the state in a runtime as the server sent it."""
        reason = " ".join(redact(str(runtime.get("errorMessage") or "")).split())
        return cls(str(runtime.get("stage") or ""), str(runtime.get("sha") or ""), reason[:300].rstrip("."))

    @property
    def quote(self) -> str:
        """The Hub's words as a sentence, or ""."""
        return f" The Hub says: “{self.reason}”." if self.reason else ""

    def error(self, repo: str, commit: str, log_lines: str = "") -> PublishError | None:
        """Return why the Space doesn't run and won't without help, or None if it runs, or is still on its way."""
        restart = f"hf spaces restart {repo}"
        if self.stage in ASLEEP:
            message = f"{repo} is asleep ({self.stage}).{self.quote}"
            return SpaceNotReady(
                message, f"It has the files of {commit[:8]}. Open its page, or run: {restart}", commit=commit
            )
        if self.stage == PAUSED:
            message = f"{repo} is paused ({self.stage}).{self.quote}"
            return SpaceNotReady(
                message, f"It has the files of {commit[:8]}. To start it, run: {restart}", commit=commit
            )
        if self.stage not in FAILED:
            return None
        if self.stage == "RUNTIME_ERROR" and _NO_MACHINE.match(self.reason):
            remedy = (
                f"It has the files of {commit[:8]}. Later, run: {restart}, or choose other hardware with --hardware."
            )
            return SpaceNotReady(f"The Hub has no machine for {repo}.{self.quote}", remedy, commit=commit)
        return SpaceFailed(f"{repo} failed ({self.stage}).{self.quote}{log_lines}", FAILED[self.stage])
