"""The OpenAI chat format and its server-sent events, both directions; pure functions of bytes and values.

Clients use `SSEDecoder`, `chat_body` and `ChatReader`; servers use `read_body`, `ChatWriter`, `encode_event`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backends.errors import BackendError, Interrupted, Overloaded, Rejected, Unreachable
from backends.reasoning import CharacterJoiner, ThoughtSplitter
from backends.types import ChatRequest, Delta, Done, Message, Usage

DONE = "[DONE]"
MAX_EVENT_BYTES = 8 * 1024 * 1024
MOST_TOKENS = 10**9
_parse = json.JSONDecoder().decode
_DATA = b"data:"


class BadEvent(ValueError):
    """The bytes are no server-sent event; the text says why."""


class SSEDecoder:
    """Bytes in as the network cuts them, the data of whole events out.

    Lines may end in LF, CRLF or CR; comments and fields other than `data` are passed over; several
    `data` lines of one event are joined by LF, as the HTML standard says.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Give the data of each event that `chunk` completes."""
        buffer = self._rest + chunk if self._rest else chunk
        tail = b""
        if b"\r" in buffer:
            if buffer.endswith(b"\r"):  # its LF may still be on the way
                buffer, tail = buffer[:-1], b"\r"
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = buffer.split(b"\n")
        self._rest = lines.pop() + tail
        if len(self._rest) + self._size > MAX_EVENT_BYTES:
            raise BadEvent(f"it sent an event of more than {MAX_EVENT_BYTES >> 20} MiB")
        events: list[str] = []
        for line in lines:
            if line.startswith(_DATA):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line)
            elif not line and self._data:
                events.append(self._dispatch())
        return events

    def flush(self) -> list[str]:
        """Give an event that the end of the stream left without its blank line."""
        events = self.feed(b"\n")
        return [*events, self._dispatch()] if self._data else events

    def _dispatch(self) -> str:
        data, self._data, self._size = self._data, [], 0
        try:
            return (data[0] if len(data) == 1 else b"\n".join(data)).decode()
        except UnicodeDecodeError as error:
            raise BadEvent("it broke off inside a character") from error


def encode_event(data: Mapping[str, Any] | str) -> bytes:
    """One server-sent event; a mapping is written as compact JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return b"".join(b"data: " + line.encode() + b"\n" for line in text.split("\n")) + b"\n"


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


def read_body(body: Mapping[str, Any]) -> ChatRequest:
    """The request that a client's JSON body asks for; `Rejected` with status 400 says what is wrong."""
    try:
        messages = tuple(Message(item["role"], _content_text(item["content"])) for item in body["messages"])
        stop = body.get("stop") or ()
        given = {
            "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
            "temperature": body.get("temperature"),
        }
        return ChatRequest(
            messages,
            model=body.get("model") or None,
            top_p=body.get("top_p"),
            seed=body.get("seed"),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            **{name: value for name, value in given.items() if value is not None},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Rejected(
            f"The request is not a chat completion: {error!r} is missing or of the wrong type.",
            'Send {"messages": [{"role": "user", "content": "…"}]}.',
            status=400,
        ) from error


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
        self._split = ThoughtSplitter()
        self._thoughts = CharacterJoiner()

    def read(self, payload: str) -> list[Delta]:
        """Give the deltas of one event; role-only, empty and usage-only events give none."""
        if payload == DONE:
            self.complete, self.last = True, "done"
            return []
        try:
            deltas = self._deltas(_parse(payload))
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise self.broken(f"it sent an event that is no chat chunk: {self._quoted(payload)[:80]!r}") from error
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

    def _deltas(self, event: dict[str, Any]) -> list[Delta]:
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
        if thought := self._thoughts.feed(part.get("reasoning") or part.get("reasoning_content") or ""):
            deltas.append(Delta(thought, "thought"))
        if content := part.get("content"):
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

    def opening(self) -> dict[str, Any]:
        """The role-only chunk that comes first."""
        return self._chunk({"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> dict[str, Any]:
        """One delta as a chunk; a thought goes into `reasoning_content`."""
        return self._chunk({"content" if delta.kind == "answer" else "reasoning_content": delta.text})

    def closing(self, done: Done) -> list[dict[str, Any]]:
        """The chunk with the finish reason, then the one with the usage where it is known."""
        chunks = [self._chunk({}, done.finish_reason or "stop")]
        if done.usage:
            chunks.append({**self._head, "choices": [], "usage": write_usage(done.usage)})
        return chunks

    def _chunk(self, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def read_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Token counts from the names of the chat format; None where the server reports none that can be counts."""
    prompt, output = _count(usage.get("prompt_tokens", 0)), _count(usage.get("completion_tokens", 0))
    if prompt is None or output is None:
        return None
    cached, reasoning = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(prompt, output, _count(cached.get("cached_tokens")), _count(reasoning.get("reasoning_tokens")))


def one_line(text: str) -> str:
    """A server's words for a message: one line without control characters, at most 300 characters."""
    # Half a surrogate pair, which JSON can spell, could not be written anywhere; an escape would paint a terminal.
    shown = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    return " ".join(shown.split())[:300]


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
