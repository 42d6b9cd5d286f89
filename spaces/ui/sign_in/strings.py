"""What the pages of a sign-in that failed say."""

from __future__ import annotations

from typing import NamedTuple


class Notice(NamedTuple):
    """The title and the text of a page."""

    title: str
    text: str


CANCELLED = Notice(
    "You're not signed in",
    "The sign-in was cancelled, or Hugging Face refused it. Nothing was shared, and the page works without an account.",
)
FAILED = Notice(
    "Signing in didn't work",
    "Hugging Face didn't confirm the sign-in. Go back and try again. If you see this page in a frame, open it in a tab "
    "of its own: some browsers keep no cookies for frames.",
)
BACK = "Back to the page"
