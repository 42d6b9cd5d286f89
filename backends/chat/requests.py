"""The request body of the OpenAI chat format: written by clients, read and validated by servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from backends.errors import Rejected
from backends.types import ChatRequest, Message, Role

ROLES: dict[str, Role] = {**{role: role for role in get_args(Role)}, "developer": "system"}
EXAMPLE = 'Send {"messages": [{"role": "user", "content": "…"}]}.'
MAX_STOPS = 16
MAX_STOP_CHARACTERS = 5000  # engines look for each of them after every token
MAX_TOKENS = 2**31 - 1  # engines count in 32 bits; a larger number would overflow
# Fields that would change the answer and aren't supported, with the values that have no effect.
UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {
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


def chat_body(request: ChatRequest, *, model: str | None = None, stream: bool = True) -> dict[str, Any]:
    """The JSON body for `request`; `request.model` takes precedence over `model`, the target's default."""
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


def parse_chat_request(body: Any) -> ChatRequest:
    """Read a client's JSON body; `Rejected` with status 400 says what is wrong with it.

    A missing or empty `model` is None. `max_completion_tokens` takes precedence over the older `max_tokens`.
    """
    if not isinstance(body, Mapping):
        raise bad_request(f"it is {_describe(body)}, not an object")
    for name, neutral in UNSUPPORTED.items():
        if body.get(name) not in neutral:
            raise Rejected(f"{name} is not supported here.", f"Ask without {name}.", status=400)
    newer = _integer(body, "max_completion_tokens", minimum=1)
    max_tokens = newer if newer is not None else _integer(body, "max_tokens", minimum=1)
    temperature = _number(body, "temperature", 0, 2)
    optional: dict[str, Any] = {"max_tokens": max_tokens and min(max_tokens, MAX_TOKENS), "temperature": temperature}
    return ChatRequest(
        _messages(body.get("messages")),
        model=_text(body, "model") or None,
        top_p=_number(body, "top_p", 0, 1),
        seed=_integer(body, "seed", minimum=-(2**63)),
        stop=_stop(body.get("stop")),
        **{name: value for name, value in optional.items() if value is not None},
    )


def read_stream_flags(body: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the client wants a stream, and whether it wants the usage at the end."""
    options = body.get("stream_options") or {}
    if not isinstance(options, Mapping):
        raise bad_request(f"stream_options is {_describe(options)}, not an object")
    return _flag(body, "stream"), _flag(options, "include_usage")


def bad_request(reason: str) -> Rejected:
    """The error for a body that isn't a chat completion request."""
    return Rejected(f"The request is not a chat completion: {reason}.", EXAMPLE, status=400)


def _messages(messages: Any) -> tuple[Message, ...]:
    if not isinstance(messages, list):
        raise bad_request(f"messages is {_describe(messages)}, not a list")
    if not messages:
        raise bad_request("messages is empty")
    return tuple(_message(f"messages[{index}]", each) for index, each in enumerate(messages))


def _message(path: str, message: Any) -> Message:
    if not isinstance(message, Mapping):
        raise bad_request(f"{path} is {_describe(message)}, not an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        value = f"{role[:40]!r}" if isinstance(role, str) else _describe(role)
        raise bad_request(f"the role of {path} is {value}, not one of {', '.join(ROLES)}")
    return Message(ROLES[role], _content(f"{path}.content", message.get("content")))


def _content(path: str, content: Any) -> str:
    if isinstance(content, list):
        return "".join(_part(f"{path}[{index}]", part) for index, part in enumerate(content))
    if not isinstance(content, str):
        raise bad_request(f"{path} is {_describe(content)}, not text")
    return replace_surrogates(content)


def _part(path: str, part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None
    if not isinstance(text, str):
        raise bad_request(f"{path} is not a text part; only text is supported")
    return replace_surrogates(text)


def replace_surrogates(text: str) -> str:
    """`text` with surrogates, which JSON can contain and UTF-8 can't, joined or replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _stop(stop: Any) -> tuple[str, ...]:
    stops = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise bad_request("stop is neither text nor a list of texts")
    if len(stops) > MAX_STOPS:
        raise bad_request(f"stop has {len(stops)} texts; the maximum is {MAX_STOPS}")
    if (longest := max(map(len, stops), default=0)) > MAX_STOP_CHARACTERS:
        raise bad_request(f"a stop has {longest:,} characters; the maximum is {MAX_STOP_CHARACTERS:,}")
    return tuple(replace_surrogates(each) for each in stops if each)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} is {_describe(value)}, not text")
    return value or ""


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"{name} is {_describe(value)}, not true or false")
    return bool(value)


def _integer(body: Mapping[str, Any], name: str, *, minimum: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not minimum <= value < 2**63:
        bound = "a whole number" if minimum < 0 else f"a whole number from {minimum}"
        raise bad_request(f"{name} is {_describe(value)}, not {bound}")
    return value


def _number(body: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise bad_request(f"{name} is {_describe(value)}, not a number from {low:g} to {high:g}")
    return float(value)


def _describe(value: Any) -> str:
    """A value for an error message: a number as it is, anything else by its type."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value!r}"[:40]
    names: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
