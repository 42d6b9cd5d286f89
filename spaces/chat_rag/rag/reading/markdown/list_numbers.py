"""Numbers of list items as letters and Roman numerals."""

from __future__ import annotations

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_ONES = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def list_number(value: int, number_format: str) -> str:
    """Return a number in one of Word's formats, such as lowerLetter; others are decimal."""
    if number_format.endswith("Letter"):
        text = chr(ord("a") + (value - 1) % 26) * min((value - 1) // 26 + 1, 10)
    elif number_format.endswith("Roman"):
        text, rest = "", min(value, 5000)
        for amount, letters in (*_ROMAN, *_ROMAN_ONES):
            text += letters * (rest // amount)
            rest %= amount
    else:
        return str(value).zfill(2) if number_format == "decimalZero" else str(value)
    return text.upper() if number_format.startswith("upper") else text
