"""The request body of the OpenAI chat format: written by clients, read and validated by servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.chat.parts.checks import (
    bad_request,
    describe,
    read_flag,
    read_integer,
    read_number,
    read_text,
    replace_surrogates,
)
from backends.chat.parts.logprobs import logprobs_body, read_alternatives
from backends.chat.parts.messages import read_messages, write_message
from backends.chat.parts.tools import tools_body
from backends.errors import Rejected
from backends.types import ChatRequest, Tool

MAX_STOPS = 16
MAX_STOP_CHARACTERS = 5000  # engines look for each of them after every token
MAX_TOKENS = 2**31 - 1  # engines count in 32 bits; a larger number would overflow
MAX_TOOLS = 128
# Fields that would change the answer and aren't supported, with the values that have no effect.
UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "functions": (None, []),
    "logit_bias": (None, {}),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
}


def chat_body(request: ChatRequest, *, model: str | None = None, stream: bool = True) -> dict[str, Any]:
    """The JSON body for `request`; `request.model` takes precedence over `model`, the target's default."""
    body: dict[str, Any] = {
        "messages": [write_message(message) for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": stream,
    }
    optional = {"model": request.model or model, "top_p": request.top_p, "seed": request.seed}
    body.update({name: value for name, value in optional.items() if value is not None})
    body.update(tools_body(request))
    body.update(logprobs_body(request.logprobs))
    if request.schema is not None:
        schema = {"name": "answer", "schema": dict(request.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
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
        raise bad_request(f"it is {describe(body)}, not an object")
    for name, neutral in UNSUPPORTED.items():
        if body.get(name) not in neutral:
            raise Rejected(f"{name} is not supported here.", f"Ask without {name}.", status=400)
    newer = read_integer(body, "max_completion_tokens", minimum=1)
    max_tokens = newer if newer is not None else read_integer(body, "max_tokens", minimum=1)
    temperature = read_number(body, "temperature", 0, 2)
    optional: dict[str, Any] = {"max_tokens": max_tokens and min(max_tokens, MAX_TOKENS), "temperature": temperature}
    tools = _tools(body.get("tools"))
    return ChatRequest(
        read_messages(body.get("messages")),
        model=read_text(body, "model") or None,
        top_p=read_number(body, "top_p", 0, 1),
        seed=read_integer(body, "seed", minimum=-(2**63)),
        stop=_stop(body.get("stop")),
        tools=tools,
        tool_choice=_tool_choice(body.get("tool_choice"), tools),
        schema=_schema(body.get("response_format")),
        logprobs=read_alternatives(body),
        **{name: value for name, value in optional.items() if value is not None},
    )


def read_stream_flags(body: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the client wants a stream, and whether it wants the usage at the end."""
    options = body.get("stream_options") or {}
    if not isinstance(options, Mapping):
        raise bad_request(f"stream_options is {describe(options)}, not an object")
    return read_flag(body, "stream"), read_flag(options, "include_usage")


def _tools(tools: Any) -> tuple[Tool, ...]:
    if tools is None:
        return ()
    if not isinstance(tools, list):
        raise bad_request(f"tools is {describe(tools)}, not a list")
    if len(tools) > MAX_TOOLS:
        raise bad_request(f"tools has {len(tools)} entries; the maximum is {MAX_TOOLS}")
    return tuple(_tool(f"tools[{index}]", tool) for index, tool in enumerate(tools))


def _tool(path: str, tool: Any) -> Tool:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
        raise bad_request(f"{path} is not a function with a name")
    description, parameters = function.get("description"), function.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise bad_request(f"the parameters of {path} are {describe(parameters)}, not a JSON schema")
    text = replace_surrogates(description) if isinstance(description, str) else ""
    return Tool(name, text) if parameters is None else Tool(name, text, parameters)


def _tool_choice(choice: Any, tools: tuple[Tool, ...]) -> str:
    if isinstance(choice, Mapping):
        function = choice.get("function")
        choice = function.get("name") if isinstance(function, Mapping) else None
        if choice not in {tool.name for tool in tools}:
            raise bad_request("tool_choice names a function that is not among tools")
        return str(choice)
    if choice not in (None, "auto", "none", "required"):
        raise bad_request("tool_choice is not auto, none, required or a function")
    return choice or "auto"


def _schema(response_format: Any) -> Mapping[str, Any] | None:
    if response_format is None:
        return None
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    holder = response_format.get("json_schema") if kind == "json_schema" else None
    schema = holder.get("schema") if isinstance(holder, Mapping) else None
    if not isinstance(schema, Mapping):
        raise bad_request("response_format is not text, json_object or a json_schema with its schema")
    return schema


def _stop(stop: Any) -> tuple[str, ...]:
    stops = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise bad_request("stop is neither text nor a list of texts")
    if len(stops) > MAX_STOPS:
        raise bad_request(f"stop has {len(stops)} texts; the maximum is {MAX_STOPS}")
    if (longest := max(map(len, stops), default=0)) > MAX_STOP_CHARACTERS:
        raise bad_request(f"a stop has {longest:,} characters; the maximum is {MAX_STOP_CHARACTERS:,}")
    return tuple(replace_surrogates(each) for each in stops if each)
