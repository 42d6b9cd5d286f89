"""How texts and tables write a number: its groups and decimals, its currency and its scale.

The strings are parts of patterns, for those of a sentence, a cell and an answer. All are linear in the text.
"""

from __future__ import annotations

import re
import unicodedata

SIGNS = "[$€£¥￥₹₩₽₺₴₪₫฿]"
SIGN = rf"(?:(?:US|CA|AU|NZ|HK|[RCAS])(?=\$))?{SIGNS}"
CODE = (
    r"(?:USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|RON|TRY|RUB|UAH|ILS|KRW|SGD|HKD)"
)
# "Ft" is the forint, "ft" a foot.
CURRENCY_BEFORE = rf"(?-i:{SIGN}|\b(?:{CODE}(?![A-Za-z])|Rs\b\.?|Fr\.|kr\b))"
# Without names that are other words as well, such as "won" and "real".
_CURRENCY_NAME = (
    r"(?i:dollars?|euros?|pounds?|francs?|franken|yen|rupees?|crowns?|kron(?:or|er?|as?)|korun\w?|zlot(?:ys?|e|ych)"
    r"|forints?|rou?bles?|pesos?|reais|dirhams?|dinars?|ri[ya]als?|shekels?|baht|yuan|renminbi|rupiah|ringgit|liras?"
    r"|guilders?|shillings?|naira|hryvnias?)"
)
CURRENCY_WORD = rf"(?:{_CURRENCY_NAME}|(?-i:zł|Kč|kr|Ft|lei|Fr(?=\.)))"
CURRENCY_AFTER = rf"(?:{SIGN}(?!\d)|(?:(?-i:{CODE})|{CURRENCY_WORD})\b)"
PERCENT = r"(?:[%％٪]|(?i:per ?cent|prozent|por ciento|pour cent|percentage points?|basis points)\b)"
SCALES = {
    1e3: r"thousands?|tausend|mil(?!l)|milliers?|千",
    1e6: r"millions?|millionen|mio\b\.?|mn|millones|百万",
    1e9: r"billions?|milliarden?|mrd\b\.?|bn|milliards?|mil millones|十亿|十億",
    1e12: r"trillions?|billionen|tn",
    1e4: r"万",
    1e8: r"亿|億",
}
SCALE = rf"(?i:(?:{'|'.join(sorted(SCALES.values(), key=len, reverse=True))})(?!\w))"

_HARD = r"\u00a0\u2007\u2009\u202f"  # no line breaks at these spaces: they belong to the number
_SPACE = rf"[ {_HARD}]"
_GROUPS = ((",", r"\."), (r"\.", ","), ("['’]", "[.,]"), (f"[{_HARD}]", "[.,]"), ("٬", "٫"))
# Digits after one of these are a number of their own: "page 12 345".
_LABELS = """
page pages p. pp. no. nr. room flat suite table figure fig. item note notes chapter section article art. line row step
day week part vol. seite raum zimmer tabelle kapitel chambre salle tableau chapitre january february march april may
june july august september october november december
"""
_NO_LABEL = "".join(rf"(?<!\b{re.escape(label)}\s)" for label in _LABELS.split())
_SPACED_AHEAD = rf"(?=[1-9]\d{{0,2}}{_SPACE}\d{{3}}(?!\d))"
_SPACED = rf"{_SPACED_AHEAD}[1-9]\d{{0,2}}(?:{_SPACE}\d{{3}}(?!\d)){{1,6}}+"
# A row without its columns, "7 382 8 235", and a telephone number have more digits beside them.
_APART = rf"{_SPACED_AHEAD}(?<![§№#:/])(?<![§№#]\s)(?:(?<!\d{_SPACE})|(?<=[.,]\d\d{_SPACE}))(?i:{_NO_LABEL})"
_CONFIRMED = rf"(?i:\s?(?:{CURRENCY_AFTER}|[kmt]€|{PERCENT}|{SCALE}|°)|\s[GMT]B\b)"
_IN_PROSE = r"(?-i:\s(?![A-ZÀ-ÞА-Я])[^\W\d_]|[.,;:!?](?!\d))"  # a row ends without a mark
# 1 234 is one number between words, with decimals, with a currency or a unit, and if nothing else is there.
_WITH_SPACES = (
    rf"{_APART}{_SPACED}(?:[.,]\d++|(?!{_SPACE}\d)(?={_CONFIRMED}|{_IN_PROSE}))"
    rf"|(?:(?<={SIGNS})|(?<={SIGNS}\s)|(?<=\b{CODE}\s)){_SPACED}(?:[.,]\d++)?"
    rf"|(?<![^(−–-]){_SPACED}(?=\s?\)?\s?\Z)"
)
_WITHOUT_SPACES = "|".join(
    (
        *(rf"\d{{1,3}}(?:{mark}\d{{3}}){{1,9}}+(?!\d)(?:{decimal}\d++)?" for mark, decimal in _GROUPS),
        r"[０-９]{1,3}(?:，[０-９]{3}){1,9}+(?!\d)(?:．\d++)?",
        r"\d{1,2}(?:,\d\d(?=,)){1,6}+,\d{3}(?!\d)(?:\.\d++)?",  # 12,34,567
        r"(?:\d{1,3} ?)?[½⅓⅔¼¾⅛⅜⅝⅞]",
        r"\d++(?:[.,٫]\d++)?",
        r"\.\d++",
    )
)
_NO_CENTS = "(?:[.,][-–—]{1,2}(?![\\w–—-]))?"  # 12.– Fr.
NUMBER = rf"(?>(?=[\d.½⅓⅔¼¾⅛⅜⅝⅞])(?:{_WITH_SPACES}|{_WITHOUT_SPACES})){_NO_CENTS}"
CELL_NUMBER = rf"(?>{_SPACED}(?:[.,]\d++)?|{_WITHOUT_SPACES}){_NO_CENTS}"
# A small figure above the line is the mark of a note, but not in 10³; 12.05.2023 isn't 12.05.
END = r"(?!(?<=\b10)[⁰¹²³⁴-⁹])(?![^\W⁰¹²³⁴-⁹]|[.,'’]\d)"

_GROUP_MARK = re.compile(r"[\s'’٬]")
_THOUSANDS = re.compile(r"(?!0)\d{1,3}[.,]\d{3}")
_HAS_POINT_GROUPS = re.compile(
    r"R\$|€|\bEUR(?![A-Za-z])|\b(?:Mio|Mrd|Millionen|Milliarden|Tausend|(?i:euros?|franken)|zł|Kč|kr|Ft|lei)\b"
)
_HAS_DECIMAL_POINT = re.compile(r"(?<!R)\$|[£%]|\b(?:thousand|[mbtr]{1,2}illion|bn)\b", re.IGNORECASE)


def read_number(digits: str, around: str = "", *, in_cell: bool = False) -> tuple[float, float]:
    """Return the value of a number and that of its last digit.

    1,234 is in thousands. 1.234 is if it is a whole cell or in euros, but not where `around` has "$", "%" or "million".
    """
    digits = digits.rstrip(".,-–—")
    if not digits[-1].isdecimal():  # ½
        return float(digits[:-1] or 0) + unicodedata.numeric(digits[-1]), 1.0
    plain = _GROUP_MARK.sub("", unicodedata.normalize("NFKC", digits))
    is_grouped, plain = len(plain) < len(digits), plain.replace("٫", ".")
    mark = max(",.", key=plain.rfind)
    is_decimal = "," in plain and "." in plain
    if plain.count(mark) == 1 and not is_decimal:
        is_point = mark == "." and bool(
            _HAS_DECIMAL_POINT.search(around) if in_cell else not _HAS_POINT_GROUPS.search(around)
        )
        is_decimal = is_grouped or is_point or not _THOUSANDS.fullmatch(plain)
    whole, _, decimals = plain.rpartition(mark) if is_decimal else (plain, "", "")
    whole = whole.replace(",", "").replace(".", "")
    return float(f"{whole or 0}.{decimals or 0}"), 10.0 ** -len(decimals)
