"""The style sheets of an HTML page: which of their rules apply to an element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

_BRACES = re.compile(r"([{}])")
_COMPOUND = re.compile(r"(\*|[\w-]+)?((?:[.#][\w-]+)*)")
_NAMES = re.compile(r"[.#][\w-]+")
_COMBINATORS = re.compile(r"\s*(>)\s*|\s+")
_SCREEN = re.compile(r"@media\s+(?:only\s+)?(?:screen|all)\s*", re.I)
# What the rules that count say something about.
_SEEN = re.compile(
    r"(?:^|[;\s])(?:color|background|display|visibility|opacity|font-size|position|left|top|text-indent|clip|transform"
    r"|overflow|filter|margin-|content-visibility)",
    re.I,
)
_MOST_RULES = 200  # for one name: pages have a few, and a made-up one could have a million


class _Compound(NamedTuple):
    """A part of a selector: what an element must be, and whether its parent must be what stands before it."""

    tag: str
    names: frozenset[str]
    is_child: bool


class Rule(NamedTuple):
    """A selector, as its parts from the last to the first, with its declarations."""

    weight: tuple[int, ...]  # more important rules have a larger one: of equal ones, the last in the page counts
    parts: tuple[_Compound, ...]
    properties: dict[str, str]


class StyleSheets:
    """The rules of a page's own style sheets, by what the last part of their selector names.

    Selectors with attributes, states and siblings are left out.
    """

    def __init__(self, root: Any) -> None:
        self._rules: dict[str, list[Rule]] = {}
        numbers = count()
        for sheet in root.iter("style"):
            for selectors, text in _blocks(_without_comments(sheet.text or "")):
                properties = declarations(text) if _SEEN.search(text) else {}
                for parts in map(_parts, selectors.split(",")) if properties else ():
                    if parts:
                        self._add(Rule((*_weight(parts), next(numbers)), parts, properties))

    def _add(self, rule: Rule) -> None:
        rules = self._rules.setdefault(min(rule.parts[0].names, default=rule.parts[0].tag), [])
        if len(rules) < _MOST_RULES:
            rules.append(rule)

    def matching(self, element: Any) -> list[Rule]:
        """Return the rules that apply to an element, the most important one last."""
        if not self._rules:
            return []
        keys = (*_names(element), element.tag, "*")
        rules = [rule for key in keys for rule in self._rules.get(key, ()) if _applies(rule.parts, element)]
        return sorted(rules, key=lambda rule: rule.weight)


def declarations(text: str) -> dict[str, str]:
    """Return the properties of a rule or a style attribute, in lower case."""
    properties: dict[str, str] = {}
    for declaration in text.lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            properties[name.strip()] = value.replace("!important", "").strip()
    return properties


def _names(element: Any) -> set[str]:
    names = {f".{name}" for name in element.get("class", "").split()}
    return names | {f"#{element.get('id')}"} if element.get("id") else names


def _applies(parts: tuple[_Compound, ...], element: Any) -> bool:
    first, *others = parts
    if not _is(first, element):
        return False
    is_child = first.is_child
    for part in others:
        above = element.iterancestors()
        element = next((other for other in above if _is(part, other)), None) if not is_child else element.getparent()
        if element is None or not _is(part, element):
            return False
        is_child = part.is_child
    return True


def _is(part: _Compound, element: Any) -> bool:
    return part.tag in ("", "*", element.tag) and (not part.names or part.names <= _names(element))


def _parts(selector: str) -> tuple[_Compound, ...]:
    """Return the parts of a selector from the last to the first; none if it has others than tags, classes and ids."""
    parts: list[_Compound] = []
    pieces = _COMBINATORS.split(selector.strip())
    for combinator, compound in zip([None, *pieces[1::2]], pieces[0::2], strict=True):
        match = _COMPOUND.fullmatch(compound)
        if not match or not compound:
            return ()
        parts.append(
            _Compound((match[1] or "").lower(), frozenset(_NAMES.findall(match[2])), is_child=combinator == ">")
        )
    return tuple(reversed(parts))


def _weight(parts: tuple[_Compound, ...]) -> tuple[int, int, int]:
    names = [name[0] for part in parts for name in part.names]
    return names.count("#"), names.count("."), sum(1 for part in parts if part.tag not in ("", "*"))


def _without_comments(sheet: str) -> str:
    first, *others = sheet.split("/*")
    return first + "".join(other.partition("*/")[2] for other in others)


def _blocks(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield the selectors and properties of a style sheet, without the rules for printers and small screens."""
    depth, screens, selectors, properties = 0, 0, "", ""
    for piece in _BRACES.split(sheet):
        if piece == "{":
            if depth == screens and _SCREEN.fullmatch(selectors):
                screens += 1
            depth += 1
        elif piece == "}":
            if depth == screens + 1:
                yield selectors, properties
            depth = max(depth - 1, 0)
            screens = min(screens, depth)
            selectors = properties = ""
        elif depth == screens:
            selectors = piece.rpartition(";")[2].strip()  # after @import and @charset
        elif depth == screens + 1:
            properties = piece
