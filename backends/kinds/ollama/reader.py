"""Reads the items of one answer from Ollama's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.chat.failures import LENGTH_REASONS, cut_off
from backends.chat.parts.logprobs import read_tokens
from backends.chat.thoughts.reasoning import ThoughtSplitter
from backends.errors import Unreachable
from backends.types import Delta, Done, Event, TokenLogprob, ToolCall, Usage

if TYPE_CHECKING:
    import ollama


class OllamaReader:
    """Items in, deltas out, tool calls at the end; keeps the last item for its token counts."""

    def __init__(self) -> None:
        self.has_output = False
        self._last: ollama.ChatResponse | None = None
        self._splitter = ThoughtSplitter()
        self._calls: list[ToolCall] = []
        self._logprobs: list[TokenLogprob] = []

    def expect(self, opened_tag: str) -> None:
        """Expect an answer that begins inside of a thought, which the tag closes; "" if it doesn't."""
        self._splitter = ThoughtSplitter(opened_tag=opened_tag)

    def read(self, part: ollama.ChatResponse) -> list[Delta]:
        """Return the deltas of one item."""
        deltas: list[Delta] = []
        if part.message.thinking:
            self._splitter.start_answer()
            deltas.append(Delta(part.message.thinking, "thought"))
        if part.message.content:
            deltas += self._splitter.feed(part.message.content)
        for call in part.message.tool_calls or ():  # each is complete
            function = call.function
            self._calls.append(ToolCall(f"call_{len(self._calls) + 1}", function.name, function.arguments))
        if part.logprobs:
            self._logprobs += read_tokens(each.model_dump() for each in part.logprobs)
        if part.done:
            self._last = part
        self.has_output = self.has_output or bool(deltas or self._calls)
        return deltas

    def finish(self) -> list[Event]:
        """Return the text held back and the tool calls; an end without a last item is an error."""
        if self._last is None:
            reason = "it closed the stream before the answer was complete"
            if self.has_output:
                raise cut_off(reason)
            raise Unreachable(f"The server gave no answer: {reason}.", "Look at the server's log, then try again.")
        whole = self._last.done_reason not in LENGTH_REASONS and not self._calls
        return [*self._splitter.flush(whole=whole), *self._calls]

    @property
    def done(self) -> Done:
        last, logprobs = self._last, tuple(self._logprobs) or None
        if last is None or last.prompt_eval_count is None or last.eval_count is None:
            return Done(last.done_reason if last else None, None, logprobs)
        return Done(last.done_reason, Usage(last.prompt_eval_count, last.eval_count), logprobs)
