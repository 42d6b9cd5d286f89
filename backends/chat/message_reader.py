"""Reads the message of an answer piece by piece: its text, thoughts and refusal, and its calls of tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.chat.parts.fields import content_parts, plain_text, thought_text
from backends.chat.parts.tools import ToolCallAssembler
from backends.chat.thoughts.reasoning import CharacterJoiner, Reasoning, ThoughtSplitter
from backends.types import Delta

_MAX_REFUSAL_CHARACTERS = 2000  # an error quotes the beginning


class MessageReader:
    """Pieces of a message in, deltas out; `calls` and `refusal` are complete at the end."""

    def __init__(self, reasoning: Reasoning, opened_tag: str) -> None:
        self.calls = ToolCallAssembler()
        self.refusal = ""
        self._splitter = ThoughtSplitter(reasoning, opened_tag)
        self._thoughts = CharacterJoiner()

    def read(self, part: Mapping[str, Any], text: Any = None) -> list[Delta]:
        """Return the deltas of a piece; `text` is what stands beside it."""
        deltas = self._thought(thought_text(part))
        content = part.get("content") or text
        if isinstance(content, str):
            deltas += self._splitter.feed(content)
        elif content:
            deltas += self._read_parts(content)
        if refused := part.get("refusal"):
            self._add_refusal(plain_text(refused))
        if calls := part.get("tool_calls") or part.get("function_call"):
            self.calls.feed(calls)
        return deltas

    def flush(self, *, whole: bool) -> Iterator[Delta]:
        """Yield the text that is still waiting; `whole` says that the model itself ended the answer."""
        if half := self._thoughts.flush():
            yield Delta(half, "thought")
        yield from self._splitter.flush(whole=whole)

    def _thought(self, text: str) -> list[Delta]:
        if not text:
            return []
        self._splitter.start_answer()
        return [Delta(joined, "thought")] if (joined := self._thoughts.feed(text)) else []

    def _read_parts(self, content: Any) -> list[Delta]:
        deltas: list[Delta] = []
        for kind, text in content_parts(content):
            if kind is None:
                self._add_refusal(text)
            else:
                deltas += self._splitter.feed(text) if kind == "answer" else self._thought(text)
        return deltas

    def _add_refusal(self, text: str) -> None:
        self.refusal = (self.refusal + text)[:_MAX_REFUSAL_CHARACTERS]
