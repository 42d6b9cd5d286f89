"""Reads what clients send: pictures as a file, a form or JSON, and what to do with them.

The dialects of JSON: our own `image` or `images`, the `inputs` and `parameters` of Hugging Face's containers on
SageMaker, and Vertex AI's `instances`. A picture in JSON is base64, also as a data URL or an object with `b64`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from backends import Rejected
from inference.http.request_body import read_body, read_json
from vision.settings import VisionSettings

EXPLAIN = "occlusion"
MAX_TOP = 100
MAX_EXPLAINED = 8  # pictures of one request whose maps are asked for: each runs the network 49 times
CHUNK_BYTES = 64 * 1024
# Names of other containers for a parameter → ours.
ALIASES = {"topK": "top_k", "maxPredictions": "top_k", "top": "top_k"}
_PICTURES = ("instances", "images", "image", "inputs")
_PICTURE = ("b64", "image", "image_bytes", "content")
EXAMPLE = 'Send a picture as the body, a form with files, or {"image": "…"} with its base64.'


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """The files of pictures; `instances` says that the answer has one prediction for each, `model` who should."""

    pictures: tuple[bytes, ...]
    top: int
    explain: bool
    instances: bool = False
    model: Any = None


async def read_request(request: Request, settings: VisionSettings, large_bodies: asyncio.Semaphore) -> ClassifyRequest:
    """Return what a request asks for; raises `Rejected` with what to send instead."""
    pictures, fields = await _read_body(request, settings, large_bodies)
    if not pictures:
        raise Rejected("There is no picture in the request.", EXAMPLE, status=400)
    options = {ALIASES.get(name, name): value for name, value in {**request.query_params, **fields}.items()}
    top, explain = _number(options.get("top_k"), settings.top_k), _explain(options.get("explain"))
    most = min(MAX_EXPLAINED, settings.max_pictures) if explain else settings.max_pictures
    if len(pictures) > most:
        asks = " and asks what decided" if explain else ""
        message = f"The request has {len(pictures)} pictures{asks}; it can have at most {most}."
        raise Rejected(message, "Send them in several requests.", status=400)
    return ClassifyRequest(tuple(pictures), top, explain, "instances" in fields, options.get("model"))


async def _read_body(
    request: Request, settings: VisionSettings, large_bodies: asyncio.Semaphore
) -> tuple[list[bytes], dict[str, Any]]:
    """Return the pictures and the other fields of a body; the field `instances` says that it has the pictures."""
    limit = int(settings.max_body_mb * 1e6)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("application/json", "text/json"):
        return _read_json(await read_json(request, limit, large_bodies))
    body = await read_body(request, limit, large_bodies)
    if media_type == "multipart/form-data":
        return await _read_form(request, body, settings.max_pictures)
    return [bytes(body)], {}  # image/*, application/x-image and whatever else SageMaker's clients name


async def _read_form(request: Request, body: bytearray, limit: int) -> tuple[list[bytes], dict[str, Any]]:
    async def stream() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(body), CHUNK_BYTES):
            yield bytes(body[start : start + CHUNK_BYTES])
            await asyncio.sleep(0)  # other requests come between the parts of a large form

    parser = MultiPartParser(request.headers, stream(), max_files=limit, max_fields=16)
    parser.spool_max_size = len(body) + 1  # in memory, where the body is: a container's disk is read-only
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        reason = error.message if isinstance(error, MultiPartException) else "it names no boundary"
        raise Rejected(f"The form can't be read: {reason}", "Let your HTTP library write it.", status=400) from error
    files = [await value.read() for _, value in form.multi_items() if isinstance(value, UploadFile)]
    await form.close()
    return files, {name: value for name, value in form.multi_items() if isinstance(value, str)}


def _read_json(value: Any) -> tuple[list[bytes], dict[str, Any]]:
    """Return the pictures and the parameters of a JSON body."""
    if not isinstance(value, Mapping):
        raise Rejected("The body is not an object.", EXAMPLE, status=400)
    options = {name: each for name, each in value.items() if name not in (*_PICTURES, "parameters")}
    parameters = value.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise Rejected("parameters is not an object.", 'Send {"parameters": {"top_k": 5}}.', status=400)
    given: Any = next((value[name] for name in _PICTURES if name in value), [])
    entries = given if isinstance(given, list) else [given]
    dialect = {"instances": True} if "instances" in value else {}
    return [_decode(each) for each in entries], options | dict(parameters) | dialect


def _decode(value: Any) -> bytes:
    """Return the bytes of a picture in JSON."""
    while isinstance(value, Mapping):  # {"b64": …} and {"image_bytes": {"b64": …}} are Vertex AI's
        value = next((value[name] for name in _PICTURE if name in value), None)
    if not isinstance(value, str):
        raise Rejected("A picture in JSON is not text.", EXAMPLE, status=400)
    if value.startswith(("http:", "https:")):
        raise Rejected("The server fetches no addresses.", "Send the picture's base64.", status=400)
    head, comma, content = value.partition(",")
    try:
        return base64.b64decode(
            "".join((content if comma and head.startswith("data:") else value).split()), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise Rejected("A picture in JSON is not base64.", EXAMPLE, status=400) from error


def _number(value: Any, default: int) -> int:
    if value is None:
        return default
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else 0
    except ValueError:
        number = 0
    if not 1 <= number <= MAX_TOP:
        raise Rejected(f"top_k is {str(value)[:40]!r}.", f"Send a whole number from 1 to {MAX_TOP}.", status=400)
    return number


def _explain(value: Any) -> bool:
    if value not in (None, "", False, EXPLAIN):
        raise Rejected(f"explain is {str(value)[:40]!r}.", f"Send {EXPLAIN}, or leave it out.", status=400)
    return bool(value)
