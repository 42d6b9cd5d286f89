"""Recognizes rows of tables whose label isn't whole: shares of the row above, totals and further rows of an entry."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.answering.evidence.tables.figures import is_blank, is_figure, without_note_mark

# "As a percentage of revenue" below "Research and development"; "% of smokers" is a label of its own.
_SHARE = re.compile(
    r"as an? (?:%|percent(?:age)?) of\b|(?:%|percent(?:age)?) of (?:(?:net|total) ){0,2}(?:sales|revenues?)$",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"(?:sub-?|grand )?total\b|sum(?:me)?\b|gesamt|suma\b|balance\b|vat\b|tax(?:es)?\b", re.IGNORECASE)
_SIGNS = frozenset("$€£¥%")  # in cells of their own, beside their figures


def is_share(label: str) -> bool:
    """Return whether a label only says of what the figures are a share, so that the row above says which one."""
    return bool(_SHARE.match(label))


def is_value(text: str) -> bool:
    """Return whether a cell has more than a dash or the sign of the figure beside it."""
    return not is_blank(text) and text not in _SIGNS


def is_total(values: Iterable[str]) -> bool:
    """Return whether a row without a label is the total of its section: it has figures only, or says so.

    Other words are a further kind of what the row above names: "Large" below "Coffee | Small".
    """
    words = [text for text in values if is_value(text) and not is_figure(text) and not _is_note_mark(text)]
    return not words or any(map(_TOTAL.match, words))


def _is_note_mark(text: str) -> bool:
    return without_note_mark(f"0{text}") == "0"
