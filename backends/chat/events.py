"""The OpenAI chat format, both directions; pure functions of values.

Clients use `chat_body` and `ChatReader`; servers use `backends.chat.requests`, `ChatWriter`, `error_body`. The events
that carry it are in `backends.chat.sse`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backends.chat.reasoning import CharacterJoiner, ThoughtSplitter
from backends.errors import BackendError, Interrupted, Overloaded, Rejected, SpaceportError, Unreachable
from backends.template import ChunkTemplate
from backends.text import one_line, to_json
from backends.types import ChatRequest, Delta, Done, Kind, Usage

DONE = "[DONE]"
MOST_TOKENS = 10**9
_parse = json.JSONDecoder().decode


def chat_body(request: ChatRequest, *, model: str | None = None, stream: bool = True) -> dict[str, Any]:
    """The JSON body that asks for `request`; `request.model` wins over the target's `model`."""
    body: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": stream,
    }
    optional = {"model": request.model or model, "top_p": request.top_p, "seed": request.seed}
    body.update({name: value for name, value in optional.items() if value is not None})
    if request.stop:
        body["stop"] = list(request.stop)
    if stream:
        body["stream_options"] = {"include_usage": True}
    return body


class ChatReader:
    """Reads the events of one answer: JSON payloads in, deltas out, `complete` at [DONE].

    `quoted` makes the server's words fit for an error message: no secret, one line.
    `last` says what an event without text was: "empty" (role-only, finish), "usage" or "done".
    """

    def __init__(self, quoted: Callable[[str], str] | None = None) -> None:
        self._quoted = quoted or one_line
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.spoke = False
        self.complete = False
        self.last = ""
        self._template = ChunkTemplate()
        self._split = ThoughtSplitter()
        self._thoughts = CharacterJoiner()

    def read(self, payload: str) -> list[Delta]:
        """Give the deltas of one event; role-only, empty and usage-only events give none."""
        if payload == DONE:
            self.complete, self.last = True, "done"
            return []
        if text := self._template.read(payload):
            self.last = "empty"
            deltas = self._split.feed(text)
        else:
            deltas = self._parsed(payload)
        if deltas:
            self.spoke = True
        return deltas

    def finish(self, last: Iterable[str] = ()) -> list[Delta]:
        """Read the last events and give what was held back; an unannounced end is an error."""
        deltas = [delta for payload in last for delta in self.read(payload)]
        deltas += [Delta(half, "thought") for half in filter(None, [self._thoughts.flush()])] + self._split.flush()
        if not self.complete and self.finish_reason is None:
            self.spoke = self.spoke or bool(deltas)
            raise self.broken("it closed the stream before the answer was complete")
        return deltas

    @property
    def done(self) -> Done:
        return Done(self.finish_reason, self.usage)

    def broken(self, what: str) -> BackendError:
        """The error for a stream that broke, which depends on whether it had begun to speak."""
        if self.spoke:
            return Interrupted(f"The answer was cut off: {what}.", "Ask again; the text so far is kept.")
        return Unreachable(f"The server gave no answer: {what}.", "Look at the server's log, then ask again.")

    def _parsed(self, payload: str) -> list[Delta]:
        try:
            return self._deltas(_parse(payload), payload)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise self.broken(f"it sent an event that is no chat chunk: {self._quoted(payload)[:80]!r}") from error

    def _deltas(self, event: dict[str, Any], payload: str) -> list[Delta]:
        if usage := event.get("usage"):
            self.usage = read_usage(usage)
        if error := event.get("error"):
            raise self._server_error(error)
        choices = event.get("choices")
        self.last = "empty" if choices else "usage"
        if not choices:
            return []
        choice = choices[0]
        if reason := choice.get("finish_reason"):
            self.finish_reason = one_line(str(reason))
        part = choice.get("delta") or choice.get("message") or {}
        deltas: list[Delta] = []
        # Some servers send the same thought under both names.
        thought = part.get("reasoning") or part.get("reasoning_content") or ""
        if whole := self._thoughts.feed(thought):
            deltas.append(Delta(whole, "thought"))
        if content := part.get("content"):
            if isinstance(content, str) and not thought:
                self._template.learn(payload, content)
            deltas += self._split.feed(content if isinstance(content, str) else _content_text(content))
        return deltas

    def _server_error(self, error: Any) -> BackendError:
        text = self._quoted(str(error.get("message", "") if isinstance(error, dict) else error))
        code = error.get("code") if isinstance(error, dict) else None
        if self.spoke:
            return Interrupted(f"The answer was cut off: the server reports “{text}”.", "Ask again.")
        if code in (429, 503):
            return Overloaded(f"The server is busy: “{text}”.", "Wait a moment, then ask again.")
        status = code if isinstance(code, int) else 500
        return Rejected(f"The server failed: “{text}”.", "Look at the server's log.", status=status)


class ChatWriter:
    """Writes one answer as chat completion chunks, for a server that stands on a `Backend`."""

    def __init__(self, *, answer_id: str, model: str, created: int) -> None:
        self._head = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._before = {
            kind: to_json(self._chunk({name: ""})).partition('""}')[0]
            for kind, name in (("answer", "content"), ("thought", "reasoning_content"))
        }

    def opening(self) -> dict[str, Any]:
        """The role-only chunk that comes first."""
        return self._chunk({"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> str:
        """One delta as a chunk's JSON, of which only the text is new; a thought goes into `reasoning_content`."""
        return f'{self._before[delta.kind]}{to_json(delta.text)}}},"finish_reason":null}}]}}'

    def closing(self, done: Done) -> list[dict[str, Any]]:
        """The chunk with the finish reason, then the one with the usage where it is known."""
        chunks = [self._chunk({}, done.finish_reason or "stop")]
        if done.usage:
            chunks.append({**self._head, "choices": [], "usage": write_usage(done.usage)})
        return chunks

    def whole(self, deltas: Iterable[Delta], done: Done) -> dict[str, Any]:
        """The answer in one piece, for a client that wants no stream."""
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
    """An error in the format's shape, for a refusal or as the last event of a stream that broke."""
    kind = "invalid_request_error" if 400 <= status < 500 and status != 429 else "server_error"
    return {"error": {"message": str(error), "type": kind, "code": status}}


def read_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Token counts from the names of the chat format; None where the server reports none that can be counts."""
    prompt, output = _count(usage.get("prompt_tokens", 0)), _count(usage.get("completion_tokens", 0))
    if prompt is None or output is None:
        return None
    cached, reasoning = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(prompt, output, _count(cached.get("cached_tokens")), _count(reasoning.get("reasoning_tokens")))


def _count(value: Any) -> int | None:
    """A number of tokens, or None if it is none: some gateways send null, text or floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def write_usage(usage: Usage) -> dict[str, Any]:
    """Token counts under the names of the chat format."""
    written: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if usage.cached_tokens is not None:
        written["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens is not None:
        written["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return written


def _content_text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
