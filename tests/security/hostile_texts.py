"""Texts that make a slow pattern slow, made from the pattern itself: its parts, repeated, without the end it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from re import _constants as code  # type: ignore[attr-defined]  # what `re.compile` parses a pattern with
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

# A repetition up to this often costs a constant factor only.
MANY = 300
# From a class of characters, the first of each kind is tried.
_KINDS = ("a", "A", "1", " ", "\n", "-", "[", "(", "<", "`", '"', ".", "/", "!", ":", "・")
_ENDS = ("", "x", "\0")
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)
GENERAL = (
    *("`", "~", " ", "\n", "\t", "1", "<", "[", "(", "!", "-", "a", "A", '"', ".", ",", "#", "|", ">", "\\", "/", ":"),
    *("a ", "1.", "a.", ". ", "- ", "``` ", "`\n", "![", "](", "[1", "[1]", "<a", "</", "a-", " \n", "1,", "A "),
)


@dataclass(frozen=True)
class HostileText:
    """A text that has one part many times."""

    prefix: str
    unit: str
    end: str

    def __str__(self) -> str:
        return f"{self.prefix!r}, {self.unit!r} repeated, then {self.end!r}"

    def of(self, characters: int) -> str:
        """Return the text with about so many characters."""
        return self.prefix + self.unit * (characters // len(self.unit)) + self.end


def hostile_texts(pattern: re.Pattern[Any]) -> list[HostileText]:
    """Return texts that are made from the pattern's parts, and some that are hostile to many patterns."""
    texts = [HostileText("", unit, "") for unit in GENERAL]
    texts += [HostileText("", unit, "x") for unit in GENERAL if len(unit) == 1]
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    flags = pattern.flags & ~(re.UNICODE | re.DEBUG)
    for prefix, unit in set(_repetitions(parser.parse(source, flags), "")):
        texts += [HostileText("", whole, "") for whole in (prefix, unit, prefix + unit) if whole]
        texts += [HostileText(prefix, unit, end) for end in _ENDS]
    return list(dict.fromkeys(texts))


def _repetitions(nodes: Iterable[Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield each long repetition inside a parsed pattern: a text that leads to it, and one round of it."""
    for operation, argument in nodes:
        if operation in _REPEATS:
            _, most, inside = argument
            if most >= MANY:
                yield from ((prefix, unit) for unit in _samples(inside)[:8] if unit)
        yield from (found for inside in _insides(operation, argument) for found in _repetitions(inside, prefix))
        if operation not in (code.ASSERT, code.ASSERT_NOT):
            prefix += next(iter(_samples([(operation, argument)])), "")


def _insides(operation: Any, argument: Any) -> Sequence[Any]:
    """The parts of a node that are patterns themselves."""
    if operation in _REPEATS:
        return [argument[2]]
    if operation is code.SUBPATTERN:
        return [argument[-1]]
    if operation is code.BRANCH:
        return list(argument[1])
    if operation is code.ATOMIC_GROUP:
        return [argument]
    return [argument[1]] if operation in (code.ASSERT, code.ASSERT_NOT) else []


def _samples(nodes: Iterable[Any]) -> list[str]:
    """Return short texts that the nodes match; more than one if a class of characters decides."""
    samples = [""]
    for operation, argument in nodes:
        if operation is code.LITERAL:
            options = [chr(argument)]
        elif operation in (code.ANY, code.NOT_LITERAL, code.IN):
            options = [kind for kind in _KINDS if _matches(operation, argument, kind)]
            if operation is code.IN and argument[0][0] is not code.NEGATE:
                options += [chr(value) for kind, value in argument if kind is code.LITERAL]
        elif operation in _REPEATS:
            options = [sample * max(argument[0], 1) for sample in _samples(argument[2])]
        elif operation is code.BRANCH:
            options = [sample for inside in argument[1] for sample in _samples(inside)[:3]]
        elif operation in (code.SUBPATTERN, code.ATOMIC_GROUP):
            options = _samples(_insides(operation, argument)[0])
        else:
            continue  # a position, such as the start of a line
        samples = [sample + option for sample in samples[:4] for option in options] or samples
    return list(dict.fromkeys(samples))[:24]


def _matches(operation: Any, argument: Any, character: str) -> bool:
    if operation is code.ANY:
        return character != "\n"
    if operation is code.NOT_LITERAL:
        return character != chr(argument)
    negated = argument[0][0] is code.NEGATE
    return negated != any(_in_class(kind, value, character) for kind, value in argument)


def _in_class(kind: Any, value: Any, character: str) -> bool:
    if kind is code.LITERAL:
        return character == chr(value)
    if kind is code.RANGE:
        return value[0] <= ord(character) <= value[1]
    categories = {
        code.CATEGORY_DIGIT: r"\d",
        code.CATEGORY_NOT_DIGIT: r"\D",
        code.CATEGORY_SPACE: r"\s",
        code.CATEGORY_NOT_SPACE: r"\S",
        code.CATEGORY_WORD: r"\w",
        code.CATEGORY_NOT_WORD: r"\W",
    }
    return kind is code.CATEGORY and re.match(categories[value], character) is not None
