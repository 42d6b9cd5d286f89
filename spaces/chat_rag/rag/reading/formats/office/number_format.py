"""Displays a spreadsheet's values by their number formats, as a program with English settings does."""

from __future__ import annotations

import operator
import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

_TOKENS = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\[\]-]*+)[^\[\]]*+\]|\[[^\[\]]*\]|(E[+-]|[0#?.,%]|.)', re.DOTALL)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|\[[^\[\]]*\]|[^;])+|(?<=;)(?=;)|(?<=;)$|^(?=;)')
_DATE_TOKENS = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*.|\[(h+|m+|s+)\]|\[[^\[\]]*\]|(AM/PM|A/P|y+|m+|d+|h+|s+(?:\.0+)?|.)', re.IGNORECASE
)
_FRACTION = re.compile(r"#? ?\?{1,3}/(\?{1,3}|\d{1,3})")
_GENERAL = ("", "general", "@")
_SHORT_DATES = ("mm-dd-yy", "m/d/yy h:mm")  # the system's format of dates, which the file doesn't have


def display_value(value: object, number_format: str) -> str:
    """Return the text that a cell shows for its value; a format that isn't known shows the value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (datetime, date, time, timedelta)):
        return _display_date(value, number_format)
    if isinstance(value, (int, float)):
        return _display_number(value, number_format)
    return str(value)


def _display_number(value: float, number_format: str) -> str:
    if number_format.lower() in _GENERAL:
        return _general(value)
    sections = [match[0] for match in _SECTIONS.finditer(number_format)]
    index, has_sign = _choose_section(value, sections)
    try:
        if fraction := _FRACTION.fullmatch(sections[index].strip()):
            return ("-" if value < 0 else "") + _display_fraction(abs(value), fraction[1])
        text = _display_section(abs(value), sections[index])
    except (ValueError, ArithmeticError, IndexError):
        return _general(value)
    return f"-{text}" if value < 0 and has_sign and _has_digit(text) else text


def _choose_section(value: float, sections: list[str]) -> tuple[int, bool]:
    """Return which section of a format is for a value, and whether a negative value has its sign there."""
    conditions = [_CONDITION.search(section) for section in sections[:3]]
    if not any(conditions):
        index = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
        return index, index == 0
    for index, condition in enumerate(conditions):
        bound = float(condition[2]) if condition else 0.0
        if condition is None or _COMPARE[condition[1]](value, bound):
            is_negative = condition is not None and condition[1] in ("<", "<=") and bound <= 0
            return index, not is_negative
    return len(sections) - 1, True


def _display_fraction(value: float, denominator: str) -> str:
    """Return a positive value as in 2 1/4; the denominator is a number, or a placeholder for each of its digits."""
    if denominator.isdecimal():
        top, bottom = round(value * int(denominator)), int(denominator)
    else:
        top, bottom = Fraction(value).limit_denominator(10 ** len(denominator) - 1).as_integer_ratio()
    whole, top = divmod(top, bottom)
    return " ".join(filter(None, [str(whole) if whole or not top else "", f"{top}/{bottom}" if top else ""]))


def _display_section(value: float, section: str) -> str:
    """Return the positive value by one section of a format. Raises `ValueError` if its pattern isn't known."""
    prefix, pattern, suffix = "", "", ""
    percents = 0
    for match in _TOKENS.finditer(section):
        quoted, escaped, currency, sign = match.groups()
        literal = next((text for text in (quoted, escaped, currency) if text is not None), "")
        if sign and (sign in "0#?." or (sign == "," and pattern) or sign.startswith("E")):
            if suffix.strip():
                return _fill_template(value, section)
            pattern += sign
            continue
        if sign and sign.lower() == "g":
            raise ValueError(f"{section}: General with text")
        percents += sign == "%"
        literal = literal or sign or ""
        prefix, suffix = (prefix, suffix + literal) if pattern else (prefix + literal, suffix)
    number = _by_pattern(Decimal(repr(value)) * 100**percents, pattern) if pattern else ""
    return f"{prefix}{number}{suffix}".strip()


def _fill_template(value: float, section: str) -> str:
    """Return a whole number in a format with signs between its digits, such as 000-0000."""
    tokens = [match.groups() for match in _TOKENS.finditer(section)]
    places = sum(sign is not None and sign in "0#?" for *_, sign in tokens)
    if any(sign and (sign in ".,%" or sign.startswith("E")) for *_, sign in tokens) or value >= 1e15:
        raise ValueError(f"{section}: placeholders in two places")
    digits = f"{Decimal(repr(value)).quantize(Decimal(1), ROUND_HALF_UP)}".zfill(places)
    first, rest = digits[: len(digits) - places], iter(digits[len(digits) - places :])
    parts: list[str] = []
    for *literals, sign in tokens:
        if sign and sign in "0#?":
            parts.append(first + next(rest))
            first = ""
        else:
            parts.append(next((text for text in literals if text is not None), sign or ""))
    return "".join(parts).strip()


def _by_pattern(value: Decimal, pattern: str) -> str:
    mantissa, exponent, digits = pattern.partition("E")
    whole, _, fraction = mantissa.partition(".")
    if exponent:
        text = f"{value:.{len(fraction)}E}"
        number, _, power = text.partition("E")
        return f"{number}E{power[0]}{power[1:].zfill(len(digits) - 1)}"
    scale = len(whole) - len(whole.rstrip(",")) + fraction.count(",")
    fraction = fraction.replace(",", "")
    value /= 1000**scale
    rounded = value.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    is_grouped = "," in whole.rstrip(",")
    integer, _, decimals = f"{rounded:,f}".partition(".") if is_grouped else f"{rounded:f}".partition(".")
    while decimals and fraction[len(decimals) - 1] != "0" and decimals[-1] == "0":
        decimals = decimals[:-1]
    least = whole.count("0")
    integer = integer if integer != "0" or least else ""
    return integer.zfill(least) + (f".{decimals}" if decimals else "")


def _general(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    text = f"{value:.10g}"
    if "e" in text and 1e-5 < abs(value) < 1e15:
        text = f"{Decimal(repr(value)):f}".removesuffix(".0")
    return text


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _display_date(value: date | time | timedelta, number_format: str) -> str:
    number_format = number_format.split(";")[0]
    if number_format in _SHORT_DATES or number_format.lower() in _GENERAL:
        if isinstance(value, datetime) and value.time() == time() and number_format != _SHORT_DATES[1]:
            return value.date().isoformat()
        return value.isoformat(" ", "minutes") if isinstance(value, datetime) else str(value)
    tokens = [match.groups() for match in _DATE_TOKENS.finditer(number_format)]
    codes = [(elapsed or code or "").lower() for _, _, elapsed, code in tokens]
    has_noon = any(code in ("am/pm", "a/p") for code in codes)
    parts = []
    for index, (quoted, escaped, elapsed, code) in enumerate(tokens):
        if quoted is not None or escaped is not None:
            parts.append(quoted or escaped or "")
        elif elapsed:
            parts.append(_elapsed(value, elapsed.lower()))
        elif code:
            parts.append(_date_part(value, code, _is_minute(codes, index), has_noon))
    return "".join(parts).strip()


def _is_minute(codes: list[str], index: int) -> bool:
    """Return whether "m" means minutes: it follows hours, or seconds follow it."""
    units = [(place, code) for place, code in enumerate(codes) if code and code[0] in "ymdhs"]
    place = next((number for number, unit in enumerate(units) if unit[0] == index), None)
    if place is None:
        return False
    follows_hours = place > 0 and units[place - 1][1][0] == "h"
    return follows_hours or (place + 1 < len(units) and units[place + 1][1][0] == "s")


def _elapsed(value: date | time | timedelta, code: str) -> str:
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
    elif isinstance(value, (datetime, time)):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
    else:
        seconds = 0
    return str(seconds // {"h": 3600, "m": 60, "s": 1}[code[0]]).zfill(len(code))


def _date_part(value: date | time | timedelta, code: str, is_minute: bool, has_noon: bool) -> str:
    if isinstance(value, timedelta):
        value = (datetime.min + value).time()
    unit, length = code[0].lower(), len(code)
    if code.lower() in ("am/pm", "a/p"):
        return ("AM" if getattr(value, "hour", 0) < 12 else "PM")[: 2 if length > 3 else 1]
    if unit == "h":
        hour = getattr(value, "hour", 0)
        return str((hour - 1) % 12 + 1 if has_noon else hour).zfill(min(length, 2))
    if unit == "m" and is_minute:
        return str(getattr(value, "minute", 0)).zfill(min(length, 2))
    if unit == "s":
        whole, _, fraction = code.partition(".")
        text = str(getattr(value, "second", 0)).zfill(len(whole))
        return f"{text}.{getattr(value, 'microsecond', 0):06}"[: len(text) + 1 + len(fraction)] if fraction else text
    if unit not in "ymd" or isinstance(value, time):
        return code if unit not in "ymd" else ""
    if unit == "y":
        return f"{value:%Y}" if length > 2 else f"{value:%y}"
    number = value.month if unit == "m" else value.day
    names = ("%b", "%B", "%b") if unit == "m" else ("%a", "%A", "%A")
    return str(number).zfill(length) if length < 3 else value.strftime(names[min(length, 5) - 3])
