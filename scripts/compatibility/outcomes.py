"""The outcome of a check of a server or a client, and which side has to change if it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["yes", "no", "not tried"]
OTHER, OURS = "theirs", "ours"
CHECK_SECONDS = 180
GATEWAY_SECONDS = 400  # its databases are away for a minute, and it may take another three to recover


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one capability, what was seen, and for a no whose it is."""

    verdict: Verdict
    seen: str
    side: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Shortcoming(Exception):
    """Something that the other program doesn't do; the text is the reason."""


class NotTried(Exception):
    """A check that this machine can't make; the text is the reason."""


async def judge(check: Awaitable[str], seconds: float = CHECK_SECONDS, slow: str = OTHER) -> Outcome:
    """Run a check. A failure that the check doesn't know as the other program's is ours until it is explained.

    `slow` is the side that is to blame for a check that takes more than so many seconds.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return Outcome("yes", await check)
    except Shortcoming as error:
        return Outcome("no", str(error), OTHER)
    except NotTried as error:
        return Outcome("not tried", str(error))
    except TimeoutError as error:
        return Outcome("no", f"it doesn't answer within {seconds:g} s" if limit.expired() else str(error), slow)
    except Exception as error:  # clients of others have errors of any kind
        return Outcome("no", f"{type(error).__name__}: {str(error)[:300]}".rstrip(": "), OURS)
