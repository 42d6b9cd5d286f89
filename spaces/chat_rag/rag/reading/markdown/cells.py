"""A cell of a table before it has a place in a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INNER = "\ue004"  # in the text of a cell: the place of a table inside of it


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell of a table and its text, before it has a place in a document.

    Each `INNER` in its text is the place of one of the tables in `inner`.
    """

    row: int
    column: int
    text: str
    row_span: int = 1
    column_span: int = 1
    header: bool = False
    inner: tuple[Sequence[GridCell], ...] = ()
