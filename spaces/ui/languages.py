"""Which language a browser gets: its first one, as Gradio chooses for its own words."""

from __future__ import annotations

from collections.abc import Collection


def choose_language(accepted: str, available: Collection[str]) -> str:
    """Return the one of the `available` languages for an Accept-Language header such as "de-AT,en;q=0.8", or "en"."""
    first = accepted.split(",")[0].split(";")[0].strip()
    base = first.split("-")[0]
    return next((language for language in (first, base) if language in available), "en")
