"""Reads the events of a chat completion in the OpenAI format, and finds the failures among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from backends.chat.failures import CALL_REASONS, LENGTH_REASONS, cut_off, finish_failure, refusal, server_failure
from backends.chat.message_reader import MessageReader
from backends.chat.parts.logprobs import read_logprobs
from backends.chat.parts.usage import read_usage
from backends.chat.sse import DONE
from backends.chat.thoughts.reasoning import Reasoning
from backends.errors import BackendError, Unreachable
from backends.http.failures.error_words import error_words
from backends.text import one_line
from backends.types import Delta, Done, Event, TokenLogprob, Usage

_parse = json.JSONDecoder(strict=False).raw_decode  # some servers leave control characters in their texts
_UNFINISHED_REASONS = ("null", "None", "FINISH_REASON_UNSPECIFIED")
_UNFINISHED = "it closed the stream before the answer was complete"


class ChatReader:
    """Reads the events of one answer: JSON payloads in, deltas out, tool calls at the end.

    `complete` is true after [DONE].

    `quote` prepares the server's words for an error message: one line, without secrets.
    `last_event` names the last event without text: "empty" (role-only, finish), "usage" or "done".
    """

    def __init__(
        self, quote: Callable[[str], str] | None = None, reasoning: Reasoning = "auto", opened_tag: str = ""
    ) -> None:
        self._quote = quote or one_line
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.has_output = False
        self.complete = False
        self.last_event = ""
        self._message = MessageReader(reasoning, opened_tag)
        self._remark: Any = None  # an event with words that isn't part of an answer
        self._bad_event = ""
        self._logprobs: list[TokenLogprob] = []
        self._has_choices = False
        self._others: list[dict[str, Any]] = []

    def read(self, payload: str) -> list[Delta]:
        """Return the deltas of one event; role-only, empty and usage-only events have none."""
        if payload[:1] != "{":
            text = payload.strip().strip("\"'")
            if text.upper() == DONE:
                self.complete, self.last_event = True, "done"
                return []
            if not text:
                self.last_event = "empty"
                return []
        try:
            deltas = self._read_document(payload)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            if self.finish_reason is None:
                self._bad_event = f"it sent an event that is not a chat chunk: {self._quote(payload)[:80]!r}"
                if payload[:1] == "{":  # a part of the answer, perhaps; words may be a ping
                    raise self.stream_error(self._bad_event) from error
            return []
        if deltas:
            self.has_output = True
        return deltas

    def _read_document(self, payload: str) -> list[Delta]:
        payload = payload.lstrip()
        event, end = _parse(payload)
        deltas = self._deltas(event)
        if rest := payload[end:].strip():  # of an event that the server has joined to another
            deltas += self.read(rest.removeprefix("data:").lstrip())
        return deltas

    def finish(self, last: Iterable[str] = (), unread: str = "") -> Iterator[Event]:
        """Read the last events; yield the text held back and the tool calls, or raise the failure of the answer.

        `unread` is what the server sent besides events, such as the text of an error. The failure has the usage.
        """
        try:
            yield from self._finish(last, unread)
        except BackendError as error:
            error.usage = self.usage
            raise

    def _finish(self, last: Iterable[str], unread: str) -> Iterator[Event]:
        for payload in last:
            yield from self.read(payload)
        yield from self._other_answer()
        for delta in self._message.flush(whole=self._ended_by_model):
            self.has_output = True
            yield delta
        if failure := self._failure(unread):
            raise failure
        yield from self._message.calls.finish(self._quote, self.finish_reason)

    @property
    def _ended_by_model(self) -> bool:
        """Whether the model has said all that it had to say: no limit, failure or call of a tool cut it off."""
        reason, message = (self.finish_reason or "").lower(), self._message
        if reason in LENGTH_REASONS or message.calls or message.refusal or finish_failure(reason, self.has_output):
            return False
        return self.complete or bool(reason)

    @property
    def done(self) -> Done:
        return Done(self.finish_reason, self.usage, tuple(self._logprobs) or None)

    def stream_error(self, reason: str) -> BackendError:
        """The error for a broken stream: `Interrupted` once there is output, `Unreachable` before."""
        if self.has_output:
            return cut_off(reason)
        return Unreachable(f"The server gave no answer: {reason}.", "Look at the server's log, then try again.")

    def _deltas(self, event: dict[str, Any]) -> list[Delta]:
        if usage := event.get("usage"):
            self.usage = read_usage(usage)
        if error := event.get("error") or ("x_groq" in event and (event["x_groq"] or {}).get("error")):
            raise self._server_failure(event if isinstance(error, (bool, int)) else error)
        choices = event.get("choices")
        if isinstance(choices, dict):
            choices = [choices]
        self.last_event = "empty" if choices else "usage"
        if not choices or choices[0] is None:
            self._read_other(event)
            return []
        choice = choices[0]
        if choice.get("index"):
            choice = next((each for each in choices if each.get("index") in (0, "0", None)), None)
            if choice is None:
                return self._keep_other(choices[0])
        if not self._has_choices:
            self._has_choices, self._others = True, []
        return self._choice_deltas(choice)

    def _keep_other(self, choice: dict[str, Any]) -> list[Delta]:
        """Keep a choice of another answer to the same question: it is the answer of a server that has no first one."""
        if not (self._has_choices or (self._others and self._others[0]["index"] != choice["index"])):
            self._others.append(choice)
        return []

    def _other_answer(self) -> Iterator[Delta]:
        """Yield the answer of a server that counts its choices from 1."""
        others, self._others = self._others, []
        for choice in others:
            self._has_choices = True
            deltas = self._choice_deltas(choice)
            self.has_output = self.has_output or bool(deltas)
            yield from deltas

    def _choice_deltas(self, choice: dict[str, Any]) -> list[Delta]:
        if error := choice.get("error"):
            raise self._server_failure(error)
        if (reason := choice.get("finish_reason")) and str(reason) not in _UNFINISHED_REASONS:
            self.finish_reason = one_line(str(reason))
        if logprobs := choice.get("logprobs"):
            self._logprobs += read_logprobs(logprobs)
        # Some servers repeat the whole message in the last event.
        part = choice.get("delta") or (not self.has_output and choice.get("message")) or {}
        if isinstance(part, str):
            part = {"content": part}
        deltas = self._message.read(part, choice.get("text"))  # the older route for completions answers with `text`
        if part.get("tool_calls") or part.get("function_call"):
            self.has_output, self.last_event = True, "tool call"
        return deltas

    def _read_other(self, event: dict[str, Any]) -> None:
        """Read an event without an answer: an error of another format, or words that count if no answer comes."""
        if event.get("object") == "error" or event.get("type") == "error" or event.get("errors"):
            raise self._server_failure(event.get("errors") or event)
        if event.get("type") == "response.failed":  # of the Responses API
            raise self._server_failure((event.get("response") or {}).get("error") or event)
        if error_words(event):
            self._remark = event

    def _failure(self, unread: str) -> BackendError | None:
        """Return why this isn't a complete answer, or None."""
        remark = self._remark or unread
        words = self._quote(error_words(remark))
        if refused := self._message.refusal:
            return refusal(self._quote(refused), self.has_output)
        if failure := finish_failure(self.finish_reason, self.has_output):
            return failure
        if words and not self.has_output:
            return self._server_failure(remark)
        if self._bad_event and self.finish_reason is None:
            return self.stream_error(self._bad_event)
        if not self._has_choices and self.last_event:
            return self.stream_error("none of its events was a part of an answer")
        if not self.complete and self.finish_reason is None:
            return self.stream_error(f"{_UNFINISHED} and said “{words}”" if words else _UNFINISHED)
        if self.finish_reason in CALL_REASONS and not self.has_output:
            return self._server_failure(f"finish_reason {self.finish_reason}, without a call")
        return None

    def _server_failure(self, error: Any) -> BackendError:
        return server_failure(error, self._quote, self.has_output)
