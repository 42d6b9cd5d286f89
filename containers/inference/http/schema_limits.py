"""Rejects tools and JSON schemas whose grammar would keep the engine busy.

The engine makes a grammar of them. For each token it follows every way in which the answer could go on, in the one
thread that all answers share, and doesn't stop when the client leaves: 300 bytes of pattern blocked it for minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from backends import Rejected
from backends.text import to_json

MAX_CHARACTERS, MAX_BOUND = 20_000, 1000
# Ways to go on at one place. 200 values take 0.4 s of a processor for each token that they share. (2026-11-29.)
MAX_CHOICES = 200
MAX_PATTERN_CHOICES = 12  # with 16 of [a-z]*, a token takes half a second, with 24 it doesn't end
_BOUNDS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")
# An escaped character, a class of characters, a number of repetitions, or any other character.
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*+(?:\]|\Z)|\{(?:\d*+,)?(?P<most>\d++),?\}|.", re.DOTALL)


def check_schemas(completion: Mapping[str, Any]) -> int:
    """Return the size in characters of the tools and the schema; raise `Rejected` if they would cost too much."""
    fields = {name: completion[name] for name in ("tools", "response_format") if completion.get(name)}
    if not fields:
        return 0
    try:
        length = len(to_json(fields))
        if length > MAX_CHARACTERS:
            message = f"The tools and the schema have {length:,} characters."
            raise Rejected(message, f"Send at most {MAX_CHARACTERS:,}.", status=400)
        for schema in _schemas(completion):
            _check(schema)
    except RecursionError as error:
        raise Rejected("A schema is nested too deeply.", "Make it flatter.", status=400) from error
    return length


def _schemas(completion: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the schemas; what has another form gets its error later."""
    format_ = completion.get("response_format")
    holder = format_.get("json_schema") if isinstance(format_, Mapping) else None
    yield holder.get("schema") if isinstance(holder, Mapping) else None
    tools = completion.get("tools")
    for tool in tools if isinstance(tools, list) else []:
        function = tool.get("function") if isinstance(tool, Mapping) else None
        yield function.get("parameters") if isinstance(function, Mapping) else None


def _check(schema: Any) -> None:
    choices = _Choices(schema)
    for node in _nodes(schema):
        if any(isinstance(node.get(name), (int, float)) and node[name] > MAX_BOUND for name in _BOUNDS):
            message = f"A schema has a minimum or maximum of more than {MAX_BOUND:,} items or characters."
            raise Rejected(message, "Leave that bound out.", status=400)
        if choices.at(node) > MAX_CHOICES:
            message = f"A schema has more than {MAX_CHOICES} values, alternatives or properties at one place."
            raise Rejected(message, "Send fewer, or ask for any text.", status=400)
        if isinstance(pattern := node.get("pattern"), str) and pattern_choices(pattern) > MAX_PATTERN_CHOICES:
            message = f"A pattern has more than {MAX_PATTERN_CHOICES} repetitions and alternatives."
            raise Rejected(message, "Make it simpler, or leave it out.", status=400)


def pattern_choices(pattern: str) -> int:
    """Return about how many ways there are to go on inside of a regular expression."""
    groups, last = [0], 0  # the choices of each open group, and those of what a quantifier would repeat
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        assert token  # noqa: S101  # any character is one
        position, text = token.end(), token[0]
        if text == "(":
            groups.append(0)
        elif text == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif text == "|" or text in ("*", "+", "?"):
            groups[-1] += 1
        elif token["most"]:
            times = int(token["most"].lstrip("0")[:7] or "0")
            repeated = last * max(0, times - 1) + ("," in text)
            groups[-1] += repeated
            last += repeated
        else:
            last = 0
    return sum(groups)


class _Choices:
    """Counts the ways in which an answer can go on where a schema begins; a `$ref` is followed inside of its root."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[int, int] = {}

    def at(self, node: Any) -> int:
        if not isinstance(node, Mapping):
            return 1
        if id(node) not in self._known:
            self._known[id(node)] = 1  # while it is being counted: it may name itself
            lists = [node.get(name) for name in ("enum", "type", "properties")]
            count = sum(len(each) for each in lists if isinstance(each, (list, Mapping)))
            count += sum(self.at(each) for each in self._alternatives(node))
            self._known[id(node)] = max(1, count)
        return self._known[id(node)]

    def _alternatives(self, node: Mapping[str, Any]) -> Iterator[Any]:
        for name in _ALTERNATIVES:
            if isinstance(alternatives := node.get(name), list):
                yield from alternatives
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            target = self._root
            for name in reference[1:].split("/")[1:]:
                target = target.get(name) if isinstance(target, Mapping) else None
            yield target


def _nodes(root: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all objects in a JSON value, not by recursion: it can be deeper than Python's stack."""
    rest = [root]
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            yield value
            rest += value.values()
        elif isinstance(value, list):
            rest += value
