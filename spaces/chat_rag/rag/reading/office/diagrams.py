"""The texts of a diagram (SmartArt) in an office file."""

from __future__ import annotations

from typing import Any


def diagram_text(root: Any) -> str:
    """Return the texts of a diagram's points in the order in which they are stored, a line for each paragraph."""
    lines = (
        " ".join("".join(text.text or "" for text in paragraph.iter("{*}t")).split())
        for point in root.iter("{*}pt")
        for paragraph in point.iterfind("{*}t/{*}p")
    )
    return "\n".join(filter(None, lines))
