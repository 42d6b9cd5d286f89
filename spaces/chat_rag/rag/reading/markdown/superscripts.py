"""Keeps raised numbers apart from the figures before them: 4,210³ isn't 4,2103. For PDFs: `layout/raised_text.py`."""

from __future__ import annotations


def mark_superscript(text: str) -> str:
    """Return a raised number as an exponent, such as "^6"; other raised text, such as "st" in "1st", is unchanged."""
    return f"^{text}" if text.lstrip("-−+")[:1].isdecimal() else text
