"""Converts request bodies of SageMaker and Vertex AI to chat completions, and answers to what these platforms expect.

SageMaker's /invocations and Vertex AI's raw routes pass a body through unchanged: a chat completion, or the `inputs`
and `prompt` of older containers. Vertex AI's predict wraps it: {"instances": […], "parameters": {…}}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backends import Rejected
from backends.chat.parts.checks import bad_request

MAX_INSTANCES = 64
# Parameter names of Hugging Face's and Google's containers → names of the OpenAI format.
PARAMETER_ALIASES = {
    "max_new_tokens": "max_tokens",
    "maxOutputTokens": "max_tokens",
    "topP": "top_p",
    "stopSequences": "stop",
}
FormatResponse = Callable[[list[dict[str, Any]]], Any]


def parse_body(body: Any) -> tuple[list[dict[str, Any]], FormatResponse]:
    """Return the chat completions in a request body, and the function that combines their answers to one response."""
    if not isinstance(body, Mapping):
        raise bad_request("it is not an object")
    if "instances" not in body:
        return [to_chat_completion(body)], only_answer
    instances = body["instances"]
    if not isinstance(instances, list) or not instances:
        raise Rejected("instances is not a list with at least one instance.", _INSTANCES_REMEDY, status=400)
    if len(instances) > MAX_INSTANCES:
        message = f"There are {len(instances)} instances; one request can have at most {MAX_INSTANCES}."
        raise Rejected(message, "Send them in several requests.", status=400)
    shared = to_chat_completion({"parameters": body.get("parameters"), "stream": body.get("stream")})
    return [_parse_instance(instance, shared) for instance in instances], format_predictions


def only_answer(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the response to a request for one answer."""
    return answers[0]


def format_predictions(completions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return Vertex AI's response: one prediction per instance, in the same order."""
    return {"predictions": completions}


def to_chat_completion(body: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a body: `prompt` or `inputs` becomes the user's message, `parameters` become fields of the request."""
    completion = _with_openai_names(body)
    parameters = completion.pop("parameters", None) or {}
    if not isinstance(parameters, Mapping):
        raise bad_request("parameters is not an object")
    completion |= _with_openai_names(parameters)
    prompt = completion.pop("inputs", None) if "inputs" in completion else completion.pop("prompt", None)
    if "messages" not in completion and prompt is not None:
        completion["messages"] = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    return completion


def _with_openai_names(body: Mapping[str, Any]) -> dict[str, Any]:
    return {PARAMETER_ALIASES.get(name, name): value for name, value in body.items()}


def _parse_instance(instance: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one instance; its own parameters override the shared ones."""
    if isinstance(instance, str):
        instance = {"prompt": instance}
    if not isinstance(instance, Mapping):
        raise Rejected("An instance is not an object.", _INSTANCES_REMEDY, status=400)
    completion = {**shared, **to_chat_completion(instance)}
    if completion.get("stream"):
        raise Rejected("instances cannot be streamed.", "Send the chat completion itself to rawPredict.", status=400)
    return completion


_INSTANCES_REMEDY = 'Send {"instances": [{"messages": [{"role": "user", "content": "…"}]}]}.'
