"""Why work isn't done: it's refused now, or it took too long."""

from __future__ import annotations

import math

from backends import SpaceportError
from ui.admission.strings import MESSAGES, TOO_SLOW, TOO_SLOW_REMEDY, Reason, try_again


class Refused(SpaceportError):
    """A request isn't served now; `retry_after` is the wait in seconds."""

    def __init__(self, reason: Reason, retry_after: float, limit: int = 0) -> None:
        self.reason, self.limit = reason, limit
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(MESSAGES[reason].format(limit=limit), try_again(self.retry_after))


class TooSlow(SpaceportError):
    """An answer took longer than its time limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(TOO_SLOW.format(seconds=seconds), TOO_SLOW_REMEDY)
