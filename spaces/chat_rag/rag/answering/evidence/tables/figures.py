"""Recognizes figures, years and labels in the cells of tables."""

from __future__ import annotations

import re

from rag.answering.numbers import CELL_NUMBER, CURRENCY_AFTER, CURRENCY_BEFORE, PERCENT, SCALE, read_number

# 1,234.5 · (1,234) · $ 12 · 12,50 € · 4.25% · -3 (3) · 4,210 (note 3), each with an optional footnote mark after it.
_NUMBER = re.compile(CELL_NUMBER)
_FIGURE = re.compile(
    rf"(?<!\s){CURRENCY_BEFORE}?\s*+[-−–(+]?\s*+{CURRENCY_BEFORE}?\s*+[-−–]?\s*+{CELL_NUMBER}\s*+\)?\s*+"
    rf"(?:{PERCENT}|pts?|bps|x|{SCALE}|[mbk]n?)?\s*+(?:[kMT]?{CURRENCY_AFTER})?\s*+\)?"
    r"(?:\s*+\((?:[Nn]ote )?\d[\d.,]*+%?\))?"
)
# "640 W", "12.8 kg", "45 m²"; "2 yr" and "3Q" name columns.
_MEASURE = re.compile(
    rf"{CELL_NUMBER}\s?(?!(?:[QH]|FY|(?:yr|mo|mth|wk|week|year|day)s?)\b)(?:[^\W\d_]{{1,4}}|°[CF]?)[²³]?(?:/[^\W\d_]{{1,4}})?",
    re.IGNORECASE,
)
# It begins after a letter, a figure or a space: a run of marks is read once. "(g)", "(m)" and "(W)" are units.
_NOTE_MARK = re.compile(r"(?<![*†‡§¹²³)\]])(?:\([a-f\d]\)|\[[a-z\d]\]|[*†‡§¹²³])++$")
_ALTERNATIVE = re.compile(
    r"\((?:loss(?:es)?|expenses?|deficit|benefits?|income|gains?|decreases?|increases?|reductions?|us(?:ed)?(?: in)?"
    r"|repayments?|outflows?|credits?)\)",
    re.IGNORECASE,
)
_BLANK = re.compile(r"(?:\$|€|£)?\s*+(?:[-−–—\s.]++%?|n/?[am]\.?|nil|none|nm|\*++)", re.IGNORECASE)
YEAR = re.compile(r"(?<![\d,.$])(?:19|20)\d\d(?!\d|%|[.,]\d)")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(?:(?:fiscal|fy|cy|year|as of|at|ended|ending|quarter|q[1-4])[\s:]*+)*+"
    rf"(?:{_MONTH}(?:-|\s*+\d{{0,2}}+,?\s*+))?(?:19|20)\d\d"
    rf"|(?:fy|cy)\s?'?\d\d|q[1-4](?:\s*+(?:fy)?\s*+'?(?:\d\d){{1,2}})?|{_MONTH}\s*+\d{{1,2}},?"
    rf"|\d{{1,2}} {_MONTH}(?: \d{{4}})?",
    re.IGNORECASE,
)
# The factors of the units that a table names.
FACTORS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_MAX_FIGURE = 60
_SCALES = r"thousands|millions|billions|percent|dollars|euros?|000s?|lakhs|crores"
_UNIT = re.compile(
    r"(?<!\w)(?:(?:U\.?S\.? )?(?:\$|€|£|dollars|amounts|shares) )?in (?:\w{1,20} of )?"
    rf"(?:{_SCALES})\b[^()\n|:]{{0,60}}"
    r"|[$€£¥] ?(?:thousands?|millions?|billions?|[mbk]n?)\b",
    re.IGNORECASE,
)


def without_note_mark(text: str) -> str:
    """Return a label without the footnote marks at its end: "Services (3)" is "Services"."""
    return _NOTE_MARK.sub("", text.rstrip()).rstrip() or text


def without_alternatives(label: str) -> str:
    """Return a label without the other sign of its figure: "Net income (loss)" is "Net income"."""
    return " ".join(_ALTERNATIVE.sub(" ", label).split()) or label


def plain_label(label: str) -> str:
    """Return a label without the other sign of its figure and without footnote marks."""
    return without_note_mark(without_alternatives(label))


def is_figure(text: str) -> bool:
    """Return whether a cell has a figure, and not only a year or a date."""
    if len(text) > _MAX_FIGURE:
        return False
    texts = text.strip(), without_note_mark(text).strip()  # "(5)" is a figure, and a mark in "12 (5)"
    return any(_FIGURE.fullmatch(each) for each in texts) and not is_period(text)


def is_measure(text: str) -> bool:
    """Return whether a cell has a number with the symbol of its unit."""
    return len(text) <= _MAX_FIGURE and bool(_MEASURE.fullmatch(text.strip()))


def is_blank(text: str) -> bool:
    """Return whether a cell says that there is no value: "—", "n/a"."""
    return not text.strip() or bool(_BLANK.fullmatch(text.strip()))


def is_period(text: str) -> bool:
    """Return whether a cell is a year or a date, as in the header of a table."""
    return len(text) <= _MAX_FIGURE and bool(_DATE.fullmatch(without_note_mark(text).strip()))


def value(text: str) -> float | None:
    """Return the number of a figure; parentheses are a minus."""
    figure = read_figure(text)
    return figure[0] if figure else None


def read_figure(text: str) -> tuple[float, float] | None:
    """Return the number of a figure, with parentheses as a minus, and the value of its last digit."""
    match = _NUMBER.search(text)
    if not match:
        return None
    number, last_digit = read_number(match[0], text, in_cell=True)
    is_negative = bool(re.match(r"\s*[^\d]{0,4}[-−–(]", text[: match.start() + 1] if match.start() else ""))
    return -number if is_negative else number, last_digit


def find_unit(text: str) -> str:
    """Return the unit that a caption or header names: "in millions", "in thousands, except per share data"."""
    match = _UNIT.search(text)
    return " ".join(match[0].split()) if match else ""


def without_unit(text: str) -> str:
    """Return a header without the unit that it names: "Operating cost ($ thousands)" is "Operating cost"."""
    match = _UNIT.search(text)
    if not match:
        return text
    before, after = text[: match.start()].rstrip(" ,;([–-"), text[match.end() :].lstrip(" ,;)]–-")
    return f"{before} {after}".strip()
