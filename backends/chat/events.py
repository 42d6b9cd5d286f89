"""The events of a chat completion in the OpenAI format: read by clients, written by servers.

Pure functions of values. `backends.chat.requests` has the request body, `backends.chat.sse` the bytes of an event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backends.chat.reasoning import CharacterJoiner, ThoughtSplitter
from backends.errors import BackendError, Interrupted, Overloaded, Rejected, SpaceportError, Unreachable
from backends.text import one_line, to_json
from backends.types import Delta, Done, Kind, Usage

DONE = "[DONE]"
MAX_TOKEN_COUNT = 10**9
_parse = json.JSONDecoder().decode


class ChatReader:
    """Reads the events of one answer: JSON payloads in, deltas out; `complete` is true after [DONE].

    `quote` prepares the server's words for an error message: one line, without secrets.
    `last_event` names the last event without text: "empty" (role-only, finish), "usage" or "done".
    """

    def __init__(self, quote: Callable[[str], str] | None = None) -> None:
        self._quote = quote or one_line
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.has_output = False
        self.complete = False
        self.last_event = ""
        self._splitter = ThoughtSplitter()
        self._thoughts = CharacterJoiner()

    def read(self, payload: str) -> list[Delta]:
        """Return the deltas of one event; role-only, empty and usage-only events have none."""
        if payload == DONE:
            self.complete, self.last_event = True, "done"
            return []
        try:
            deltas = self._deltas(_parse(payload))
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise self.stream_error(
                f"it sent an event that is not a chat chunk: {self._quote(payload)[:80]!r}"
            ) from error
        if deltas:
            self.has_output = True
        return deltas

    def finish(self, last: Iterable[str] = ()) -> list[Delta]:
        """Read the last events and return the text held back; an end without a finish reason is an error."""
        deltas = [delta for payload in last for delta in self.read(payload)]
        deltas += [Delta(half, "thought") for half in filter(None, [self._thoughts.flush()])] + self._splitter.flush()
        if not self.complete and self.finish_reason is None:
            self.has_output = self.has_output or bool(deltas)
            raise self.stream_error("it closed the stream before the answer was complete")
        return deltas

    @property
    def done(self) -> Done:
        return Done(self.finish_reason, self.usage)

    def stream_error(self, reason: str) -> BackendError:
        """The error for a broken stream: `Interrupted` once there is output, `Unreachable` before."""
        if self.has_output:
            return Interrupted(f"The answer was cut off: {reason}.", "Try again; the text so far is kept.")
        return Unreachable(f"The server gave no answer: {reason}.", "Look at the server's log, then try again.")

    def _deltas(self, event: dict[str, Any]) -> list[Delta]:
        if usage := event.get("usage"):
            self.usage = read_usage(usage)
        if error := event.get("error"):
            raise self._server_error(error)
        choices = event.get("choices")
        self.last_event = "empty" if choices else "usage"
        if not choices:
            return []
        choice = choices[0]
        if reason := choice.get("finish_reason"):
            self.finish_reason = one_line(str(reason))
        part = choice.get("delta") or choice.get("message") or {}
        deltas: list[Delta] = []
        # Some servers send the same thought under both names.
        thought = part.get("reasoning") or part.get("reasoning_content") or ""
        if text := self._thoughts.feed(thought):
            deltas.append(Delta(text, "thought"))
        if content := part.get("content"):
            deltas += self._splitter.feed(_content_text(content))
        return deltas

    def _server_error(self, error: Any) -> BackendError:
        text = self._quote(str(error.get("message", "") if isinstance(error, dict) else error))
        code = error.get("code") if isinstance(error, dict) else None
        if self.has_output:
            return Interrupted(f"The answer was cut off: the server reports “{text}”.", "Try again.")
        if code in (429, 503):
            return Overloaded(f"The server is busy: “{text}”.", "Wait a moment, then try again.")
        status = code if isinstance(code, int) else 500
        return Rejected(f"The server failed: “{text}”.", "Look at the server's log.", status=status)


class ChatWriter:
    """Writes one answer as chat completion chunks, for a server that serves a `Backend`."""

    def __init__(self, *, answer_id: str, model: str, created: int) -> None:
        self._head = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
        # The JSON of a chunk up to its text, written once: only the text changes from chunk to chunk.
        self._prefix = {
            kind: to_json(self._chunk({name: ""})).partition('""}')[0]
            for kind, name in (("answer", "content"), ("thought", "reasoning_content"))
        }

    def opening(self) -> dict[str, Any]:
        """The first chunk, which has only a role."""
        return self._chunk({"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> str:
        """One delta as the JSON of a chunk; a thought goes into `reasoning_content`."""
        return f'{self._prefix[delta.kind]}{to_json(delta.text)}}},"finish_reason":null}}]}}'

    def closing(self, done: Done) -> list[dict[str, Any]]:
        """The chunk with the finish reason, then a chunk with the usage if it is known."""
        chunks = [self._chunk({}, done.finish_reason or "stop")]
        if done.usage:
            chunks.append({**self._head, "choices": [], "usage": write_usage(done.usage)})
        return chunks

    def whole(self, deltas: Iterable[Delta], done: Done) -> dict[str, Any]:
        """The complete answer as one object, for a client that doesn't stream."""
        texts: dict[Kind, str] = {"answer": "", "thought": ""}
        for delta in deltas:
            texts[delta.kind] += delta.text
        message = {"role": "assistant", "content": texts["answer"]}
        if texts["thought"]:
            message["reasoning_content"] = texts["thought"]
        choice = {"index": 0, "message": message, "finish_reason": done.finish_reason or "stop"}
        usage = {"usage": write_usage(done.usage)} if done.usage else {}
        return {**self._head, "object": "chat.completion", "choices": [choice], **usage}

    def _chunk(self, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def error_body(error: SpaceportError, status: int) -> dict[str, Any]:
    """An error in the OpenAI shape, for an error response or as the last event of a stream."""
    kind = "invalid_request_error" if 400 <= status < 500 and status != 429 else "server_error"
    return {"error": {"message": str(error), "type": kind, "code": status}}


def read_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Token counts from the fields of the OpenAI format, or None if the server reports no valid counts."""
    prompt, output = _count(usage.get("prompt_tokens", 0)), _count(usage.get("completion_tokens", 0))
    if prompt is None or output is None:
        return None
    cached, reasoning = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(prompt, output, _count(cached.get("cached_tokens")), _count(reasoning.get("reasoning_tokens")))


def write_usage(usage: Usage) -> dict[str, Any]:
    """Token counts in the fields of the OpenAI format."""
    fields: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if usage.cached_tokens is not None:
        fields["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens is not None:
        fields["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return fields


def _count(value: Any) -> int | None:
    """A number of tokens, or None if it isn't one: some gateways send null, text or floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MAX_TOKEN_COUNT else None


def _content_text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
