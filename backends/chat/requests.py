"""Reads what a client asks in the OpenAI chat format; whatever cannot be done is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from backends.errors import Rejected
from backends.types import ChatRequest, Message, Role

ROLES: dict[str, Role] = {**{role: role for role in get_args(Role)}, "developer": "system"}
EXAMPLE = 'Send {"messages": [{"role": "user", "content": "…"}]}.'
MOST_STOPS = 16
MOST_TOKENS = 2**31 - 1  # engines count in 32 bits: beyond, theirs would begin anew
# What would change the answer and is not done here, with the values that ask for nothing.
NOT_DONE: Mapping[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
    "logprobs": (None, False),
    "logit_bias": (None, {}),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
}


def read_body(body: Any) -> ChatRequest:
    """The request that a client's JSON body asks for; `Rejected` with status 400 says what is wrong with it.

    A missing or empty `model` is None; `max_completion_tokens` wins over the older `max_tokens`.
    """
    if not isinstance(body, Mapping):
        raise wrong(f"it is {_kind(body)}, not an object")
    for name, nothing in NOT_DONE.items():
        if body.get(name) not in nothing:
            raise Rejected(f"{name} is not supported here.", f"Ask without {name}.", status=400)
    newer = _whole(body, "max_completion_tokens", least=1)
    max_tokens = newer if newer is not None else _whole(body, "max_tokens", least=1)
    temperature = _number(body, "temperature", 0, 2)
    given: dict[str, Any] = {"max_tokens": max_tokens and min(max_tokens, MOST_TOKENS), "temperature": temperature}
    return ChatRequest(
        _messages(body.get("messages")),
        model=_text(body, "model") or None,
        top_p=_number(body, "top_p", 0, 1),
        seed=_whole(body, "seed", least=-(2**63)),
        stop=_stop(body.get("stop")),
        **{name: value for name, value in given.items() if value is not None},
    )


def wants_stream(body: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the answer is asked for as a stream, and whether with its usage at the end."""
    options = body.get("stream_options") or {}
    if not isinstance(options, Mapping):
        raise wrong(f"stream_options is {_kind(options)}, not an object")
    return _flag(body, "stream"), _flag(options, "include_usage")


def wrong(what: str) -> Rejected:
    """The refusal of a body that says something else than a chat completion."""
    return Rejected(f"The request is not a chat completion: {what}.", EXAMPLE, status=400)


def _messages(messages: Any) -> tuple[Message, ...]:
    if not isinstance(messages, list):
        raise wrong(f"messages is {_kind(messages)}, not a list")
    if not messages:
        raise wrong("messages is empty")
    return tuple(_message(f"messages[{index}]", each) for index, each in enumerate(messages))


def _message(place: str, message: Any) -> Message:
    if not isinstance(message, Mapping):
        raise wrong(f"{place} is {_kind(message)}, not an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        shown = f"{role[:40]!r}" if isinstance(role, str) else _kind(role)
        raise wrong(f"the role of {place} is {shown}, not one of {', '.join(ROLES)}")
    return Message(ROLES[role], _content(f"{place}.content", message.get("content")))


def _content(place: str, content: Any) -> str:
    if isinstance(content, list):
        return "".join(_part(f"{place}[{index}]", part) for index, part in enumerate(content))
    if not isinstance(content, str):
        raise wrong(f"{place} is {_kind(content)}, not text")
    return whole_characters(content)


def _part(place: str, part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None
    if not isinstance(text, str):
        raise wrong(f"{place} is no text part; only text is read here")
    return whole_characters(text)


def whole_characters(text: str) -> str:
    """`text` with halves of characters, which JSON can spell and nobody can write, replaced or joined."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _stop(stop: Any) -> tuple[str, ...]:
    stops = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise wrong("stop is neither text nor a list of texts")
    if len(stops) > MOST_STOPS:
        raise wrong(f"stop holds {len(stops)} texts; at most {MOST_STOPS} are watched for")
    return tuple(whole_characters(each) for each in stops if each)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(f"{name} is {_kind(value)}, not text")
    return value or ""


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(f"{name} is {_kind(value)}, not true or false")
    return bool(value)


def _whole(body: Mapping[str, Any], name: str, *, least: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not least <= value < 2**63:
        bound = "a whole number" if least < 0 else f"a whole number from {least}"
        raise wrong(f"{name} is {_kind(value)}, not {bound}")
    return value


def _number(body: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise wrong(f"{name} is {_kind(value)}, not a number from {low:g} to {high:g}")
    return float(value)


def _kind(value: Any) -> str:
    """A value as an error tells it: numbers as they are, of others only what they are."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value!r}"[:40]
    names: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
