"""File names that are safe to display."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

MAX_CHARACTERS = 120
_JOINERS = "\u200c\u200d"  # invisible, but part of Persian words and of emoji


def display_name(name: str) -> str:
    """Return the last part of a path without control and direction characters, at most 120 characters long.

    Markup in the name stays as text.
    """
    # The category Cf has the marks that change the writing direction, by which "exe.pdf" can be displayed as "fdp.exe".
    characters = (
        character
        for character in re.split(r"[/\\]", name)[-1]
        if character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    safe = "".join(characters).strip()
    if len(safe) > MAX_CHARACTERS:
        suffix = Path(safe).suffix[:12]
        safe = safe[: MAX_CHARACTERS - len(suffix) - 1] + "…" + suffix
    return safe if safe.strip(".") else "document"
