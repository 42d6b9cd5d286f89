"""The bodies that platforms send, made into chat requests, and answers made into what they expect.

SageMaker's /invocations and Vertex's raw routes pass a body through: chat completions, or `inputs` and `prompt` as
older containers take them. Vertex's predict has its own: {"instances": […], "parameters": {…}}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backends import Rejected
from backends.chat.requests import wrong

MOST_INSTANCES = 64
# The names of Hugging Face's containers, in ours.
RENAMED = {"max_new_tokens": "max_tokens", "maxOutputTokens": "max_tokens", "topP": "top_p", "stopSequences": "stop"}
Shape = Callable[[list[dict[str, Any]]], Any]


def bodies(body: Any) -> tuple[list[dict[str, Any]], Shape]:
    """The chat completions that a body asks for, and the function that makes one answer of theirs."""
    if not isinstance(body, Mapping):
        raise wrong("it is not an object")
    if "instances" not in body:
        return [chat(body)], lambda wholes: wholes[0]
    instances = body["instances"]
    if not isinstance(instances, list) or not instances:
        raise Rejected("instances is no list with at least one instance.", _INSTANCES, status=400)
    if len(instances) > MOST_INSTANCES:
        what = f"There are {len(instances)} instances; at most {MOST_INSTANCES} are answered together."
        raise Rejected(what, "Send them in several requests.", status=400)
    shared = chat({"parameters": body.get("parameters"), "stream": body.get("stream")})
    return [_instance(each, shared) for each in instances], predictions


def predictions(wholes: list[dict[str, Any]]) -> dict[str, Any]:
    """Vertex's shape: a prediction an instance, in their order."""
    return {"predictions": wholes}


def chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as a chat completion: `prompt` or `inputs` becomes the user's message, `parameters` its settings."""
    written = _renamed(body)
    parameters = written.pop("parameters", None) or {}
    if not isinstance(parameters, Mapping):
        raise wrong("parameters is not an object")
    written |= _renamed(parameters)
    prompt = written.pop("inputs", None) if "inputs" in written else written.pop("prompt", None)
    if "messages" not in written and prompt is not None:
        written["messages"] = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    return written


def _renamed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(name, name): value for name, value in body.items()}


def _instance(instance: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    """An instance with what all share; what it says itself wins."""
    if isinstance(instance, str):
        instance = {"prompt": instance}
    if not isinstance(instance, Mapping):
        raise Rejected("An instance is no object.", _INSTANCES, status=400)
    asked = {**shared, **chat(instance)}
    if asked.get("stream"):
        raise Rejected("instances cannot be streamed.", "Send the chat completion itself to rawPredict.", status=400)
    return asked


_INSTANCES = 'Send {"instances": [{"messages": [{"role": "user", "content": "…"}]}]}.'
