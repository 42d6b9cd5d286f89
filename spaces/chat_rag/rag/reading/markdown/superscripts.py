"""Keeps raised numbers apart from the figures before them. For PDFs: `layout/text_lines/raised_text.py`."""

from __future__ import annotations


def mark_superscript(text: str) -> str:
    """Return a raised number as an exponent, such as "^6"; other raised text, such as "st" in "1st", is unchanged."""
    return f"^{text}" if text.lstrip("-−+")[:1].isdecimal() else text
