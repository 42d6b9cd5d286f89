"""Numbers in texts, as a language writes them."""

from __future__ import annotations

from string import Formatter
from typing import Any


class NumberFormat(Formatter):
    """A format whose numbers have these separators. Python's own "n" has those of the whole process."""

    def __init__(self, thousands: str, decimal: str) -> None:
        self._separators = str.maketrans({",": thousands, ".": decimal})

    def format_field(self, value: Any, format_spec: str) -> Any:
        text = format(value, format_spec)
        return text.translate(self._separators) if isinstance(value, int | float) else text
