"""Finds personal data in the texts of documents: addresses, telephone, account and card numbers, never names.

It warns and refuses nothing: a public handbook may have the address of its help desk.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

SHOWN = 3  # documents that a line names


def personal_data(documents: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each kind that is in the documents, given by name and text, with the documents that have it."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in _PATTERNS}
    for name, text in documents:
        for kind in find_personal(text):
            counts[kind][name] += 1
    return [_line(kind, found) for kind, found in counts.items() if found]


def find_personal(text: str) -> Iterator[str]:
    """Yield the kind of each place with personal data."""
    for kind, (pattern, is_valid) in _PATTERNS.items():
        for match in pattern.finditer(text):
            if is_valid(match[0]):
                yield kind


def _line(kind: str, counts: Counter[str]) -> str:
    names = [name for name, _ in counts.most_common(SHOWN)]
    rest = f" and {len(counts) - SHOWN:,} more" if len(counts) > SHOWN else ""
    return f"{kind}: {counts.total():,}, in {', '.join(names)}{rest}"


def _is_own_address(text: str) -> bool:
    """Return whether an address can be somebody's: those of examples belong to nobody (RFC 2606)."""
    return not re.search(r"[@.](example(\.\w+)?|test|invalid|localhost)$", text, re.IGNORECASE)


def _is_iban(text: str) -> bool:
    """Return whether the two check digits fit (ISO 13616)."""
    compact = text.replace(" ", "").upper()
    digits = "".join(str(int(each, 36)) for each in compact[4:] + compact[:4])
    return 15 <= len(compact) <= 34 and int(digits) % 97 == 1


def _is_card(text: str) -> bool:
    """Return whether the last digit fits (Luhn)."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [2 * each for each in digits[-2::-2]]
    total = sum(digits[-1::-2]) + sum(each - 9 if each > 9 else each for each in doubled)
    return total % 10 == 0 and len(set(digits)) > 1


def _always(text: str) -> bool:
    return True


_PATTERNS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "e-mail addresses": (
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,24}\b"), _is_own_address,
    ),
    "telephone numbers": (
        re.compile(r"(?<![\w+])\+\d{1,3}[ ./-]?(?:\(0?\d{1,4}\)[ ./-]?)?\d(?:[ ./-]?\d){6,12}(?![\w-])|"
                   r"(?<!\w)\(\d{3}\) ?\d{3}-\d{4}(?![\w-])"),
        _always,
    ),
    "bank accounts (IBAN)": (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _is_iban),
    "card numbers": (re.compile(r"(?<![\w.-])[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{3,4}(?![\w.-])"), _is_card),
    "social security numbers (US)": (
        re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"), _always,
    ),
}  # fmt: skip
