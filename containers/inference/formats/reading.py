"""Helpers to read the bodies of formats other than chat completions, whose parts become those of a chat completion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from backends import Rejected
from backends.chat.parts.checks import InvalidBody, describe

Part = dict[str, Any]
# A message of the chat completion. The client's own has another number: one of its items can become several.
_MESSAGE = re.compile(r"messages\[\d+\](\.content(\[\d+\])?)?")


class BodyReader:
    """Reads values of one format; its errors name the format and show an example.

    `fields` has the format's names of a chat completion's fields.
    """

    def __init__(self, name: str, example: str, fields: Mapping[str, str] | None = None) -> None:
        self._name = name
        self._example = example
        self._fields = fields or {}

    def invalid(self, reason: str) -> InvalidBody:
        """The error for a body that isn't a request of the format."""
        return InvalidBody(reason, self._name, self._example)

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Name the format, and its fields, in errors about the chat completion that a body became."""
        try:
            yield
        except InvalidBody as error:
            field, space, rest = _MESSAGE.sub("a message", error.reason).partition(" ")
            raise self.invalid(self._fields.get(field, field) + space + rest) from error

    def object(self, path: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.invalid(f"{path} is {describe(value)}, not an object")
        return value

    def list(self, path: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.invalid(f"{path} is {describe(value)}, not a list")
        return value

    def text(self, path: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.invalid(f"{path} is {describe(value)}, not text")
        return value

    def content(self, path: str, value: Any, part: Callable[[str, Mapping[str, Any]], Part | None]) -> Any:
        """Read text, or a list of parts; `part` reads one, and returns None for what a model doesn't get."""
        if isinstance(value, str):
            return value
        entries = [(f"{path}[{at}]", each) for at, each in enumerate(self.list(path, value))]
        return [read for name, each in entries if (read := part(name, self.object(name, each)))]

    def unsupported(self, body: Mapping[str, Any], fields: Mapping[str, tuple[Any, ...]]) -> None:
        """Refuse fields that would change the answer; `fields` has the values without an effect."""
        for name, neutral in fields.items():
            if body.get(name) not in neutral:
                raise Rejected(f"{name} is not supported here.", f"Ask without {name}.", status=400)


def text_part(text: str) -> Part:
    """A text of a message."""
    return {"type": "text", "text": text}


def picture_part(url: Any) -> Part:
    """A picture of a message; the chat format's reader checks the address."""
    return {"type": "image_url", "image_url": {"url": url}}


def call_part(call_id: str, name: str, arguments: str) -> Part:
    """A tool call of an assistant's message."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
