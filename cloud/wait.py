"""Waits for a resource of a cloud."""

from __future__ import annotations

import time
from collections.abc import Callable

from cloud.calls import CloudError, ReportLine


def wait_for(state: Callable[[], str | None], report: ReportLine, *, subject: str, seconds: float, poll: float) -> None:
    """Call `state` every `poll` seconds until it returns None, and print each new state; `CloudError` if it's late."""
    previous, deadline = "", time.monotonic() + seconds
    while (current := state()) is not None:
        if current != previous:
            report(f"    {subject}: {current}")
            previous = current
        if time.monotonic() > deadline:
            raise CloudError(f"{subject} is still {current} after {seconds:g} s.", "Wait, then resume.")
        time.sleep(poll)
