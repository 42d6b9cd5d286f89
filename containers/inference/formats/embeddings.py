"""The /v1/embeddings of the OpenAI format: reads texts, writes vectors as numbers or base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from backends import Rejected
from backends.chat.parts.checks import describe, read_text, replace_surrogates
from backends.vectors import Embeddings, Vector
from inference.formats.reading import BodyReader
from inference.settings import ChatServerSettings

MAX_TEXTS = 2048  # as OpenAI's
_FORMATS = ("float", "base64")
_read = BodyReader("one for embeddings", 'Send {"input": ["…"]}.')


def read_texts(body: Any, settings: ChatServerSettings) -> list[str]:
    """Return the texts of a body; `Rejected` if there is none, or too much."""
    body = _read.object("it", body)
    _read.unsupported(body, {"dimensions": (None,)})
    if body.get("encoding_format", "float") not in _FORMATS:
        raise _read.invalid("encoding_format is not float or base64")
    given = body.get("input")
    texts = [given] if isinstance(given, str) else _read.list("input", given)
    if not texts:
        raise _read.invalid("input is empty")
    if len(texts) > MAX_TEXTS:
        raise _read.invalid(f"input has {len(texts):,} texts; the maximum is {MAX_TEXTS:,}")
    for at, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise _read.invalid(f"input[{at}] is {describe(text) if text else 'empty'}, not text")
    if sum(map(len, texts)) > settings.max_prompt_characters:
        message = f"The texts have more than {settings.max_prompt_characters:,} characters."
        raise Rejected(message, "Send fewer, or raise SPACEPORT_MAX_PROMPT_CHARACTERS.", status=413)
    return [replace_surrogates(text) for text in texts]


def read_model(body: Mapping[str, Any]) -> str | None:
    """Return the model that a client asks for, or None."""
    with _read.translate_errors():
        return read_text(body, "model") or None


def write_embeddings(embeddings: Embeddings, model: str, encoding: str | None) -> dict[str, Any]:
    """Write the answer; a server that doesn't count tokens has 0, because the format always has counts."""
    write = _base64 if encoding == "base64" else list
    data = [
        {"object": "embedding", "index": at, "embedding": write(vector)} for at, vector in enumerate(embeddings.vectors)
    ]
    tokens = embeddings.input_tokens or 0
    return {"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def _base64(vector: Vector) -> str:
    return base64.b64encode(vector.tobytes()).decode()
