"""Reads what clients send: OpenAI's request for pictures, and what SageMaker and Vertex AI wrap it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends import Rejected
from backends.chat.parts.checks import describe
from backends.diffusion.limits import MAX_GUIDANCE, MAX_PREVIEWS
from backends.diffusion.types import PictureRequest

MAX_INSTANCES = 16
EXAMPLE = 'Send {"prompt": "A lighthouse at dusk", "size": "512x512"}.'
# Names of Hugging Face's and Vertex AI's containers for a field → ours.
ALIASES = {
    "inputs": "prompt",
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "num_images_per_prompt": "n",
    "sampleCount": "n",
    "negativePrompt": "negative_prompt",
}
# What would change the answer, with the values that don't.
UNSUPPORTED = {
    "response_format": (None, "b64_json"),
    "output_format": (None, "png"),
    "background": (None, "auto", "opaque"),
}
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ImagesRequest:
    """The prompts of a request, one unless it's Vertex AI's `instances`."""

    pictures: tuple[PictureRequest, ...]
    stream: bool = False
    instances: bool = False


def read_request(body: Any, name: str) -> ImagesRequest:
    """Return what a body asks for; raises `Rejected` with what to send instead. `name` is the model's."""
    fields = _fields("The body", body)
    if "instances" not in fields:
        _check_model(fields, name)
        return ImagesRequest((_picture(fields),), stream=bool(_value(fields, "stream", bool)))
    instances = fields["instances"]
    if not isinstance(instances, list) or not 1 <= len(instances) <= MAX_INSTANCES:
        message = f"instances is not a list with 1 to {MAX_INSTANCES} prompts."
        raise Rejected(message, 'Send {"instances": [{"prompt": "…"}]}.', status=400)
    shared = _fields("parameters", fields.get("parameters") or {})
    each = [_fields("An instance", {"prompt": it} if isinstance(it, str) else it) for it in instances]
    return ImagesRequest(tuple(_picture({**shared, **instance}) for instance in each), instances=True)


def _fields(what: str, value: Any) -> dict[str, Any]:
    """Return the fields of an object with our names, those in its `parameters` among them."""
    if not isinstance(value, Mapping):
        raise Rejected(f"{what} is {describe(value)}, not an object.", EXAMPLE, status=400)
    fields = {ALIASES.get(str(name), str(name)): each for name, each in value.items()}
    if "instances" in fields or "parameters" not in fields:
        return fields
    return {name: each for name, each in fields.items() if name != "parameters"} | _fields(
        "parameters", fields["parameters"] or {}
    )


def _picture(fields: Mapping[str, Any]) -> PictureRequest:
    for name, neutral in UNSUPPORTED.items():
        if fields.get(name) not in neutral:
            raise Rejected(f"{name} is {str(fields[name])[:40]!r}.", f"Send {neutral[1]}, or leave it out.", status=400)
    previews = _value(fields, "partial_images", int) or 0
    return PictureRequest(
        prompt=_value(fields, "prompt", str) or "",
        count=_or(_value(fields, "n", int), 1),
        size=_size(fields.get("size")),
        steps=_value(fields, "steps", int),
        seed=_value(fields, "seed", int),
        guidance=_guidance(fields),
        negative_prompt=_value(fields, "negative_prompt", str) or "",
        previews=min(previews, MAX_PREVIEWS),
    )


def _check_model(fields: Mapping[str, Any], name: str) -> None:
    model = _value(fields, "model", str)
    if model not in (None, "", name):
        raise Rejected(f"There is no model {str(model)[:80]!r} here.", f"Ask for {name}, or for none.", status=404)


def _value(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a field of a type, or None; raises `Rejected` for another type."""
    value = fields.get(name)
    if value is None or type(value) is kind:
        return value
    names = {str: "text", int: "a whole number", bool: "true or false"}
    raise Rejected(f"{name} is {describe(value)}, not {names[kind]}.", EXAMPLE, status=400)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _guidance(fields: Mapping[str, Any]) -> float | None:
    value = fields.get("guidance")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_GUIDANCE:
        message = f"guidance is {describe(value)}."
        raise Rejected(message, f"Send a number from 0 to {MAX_GUIDANCE:g}.", status=400)
    return float(value)


def _size(value: Any) -> tuple[int, int] | None:
    if value in (None, "", "auto"):
        return None
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise Rejected(f"size is {str(value)[:40]!r}.", "Send the width and height, such as 512x512.", status=400)
    return int(match[1]), int(match[2])
