"""The /embeddings of the OpenAI format, and the /rerank that servers of it add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from backends.errors import Rejected
from backends.http.client import post_json
from backends.http.endpoint import Endpoint
from backends.http.errors import ErrorFactory
from backends.vectors.checks import check_scores, check_vectors, in_order, invalid
from backends.vectors.types import Embeddings


async def request_embeddings(
    endpoint: Endpoint, fields: Mapping[str, Any], texts: Sequence[str], make_error: ErrorFactory
) -> Embeddings:
    """Return the embeddings of one batch of texts; `fields` are added to the request."""
    body = {"input": list(texts), "encoding_format": "float", **fields}
    document = await post_json(endpoint, "/embeddings", body, make_error)
    items = in_order(document.get("data") if isinstance(document, Mapping) else None, len(texts), "vectors")
    vectors = check_vectors([item.get("embedding") for item in items], len(texts))
    usage = document.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    return Embeddings(vectors, tokens if type(tokens) is int else None)


async def request_scores(
    endpoint: Endpoint, fields: Mapping[str, Any], query: str, texts: Sequence[str], make_error: ErrorFactory
) -> list[float]:
    """Return the scores of one batch of texts: as vLLM, llama.cpp and Cohere, or as Text Embeddings Inference."""
    try:
        body = {"query": query, "documents": list(texts), **fields}
        document = await post_json(endpoint, "/rerank", body, make_error)
    except Rejected as error:
        if error.status not in (404, 405, 422):
            raise
        root = replace(endpoint, url=_root(endpoint.url))
        document = await post_json(root, "/rerank", {"query": query, "texts": list(texts)}, make_error)
    return read_scores(document, len(texts))


def read_scores(document: Any, count: int) -> list[float]:
    """Read the scores of an answer: a list, or an object with `results` or `data`."""
    results = document
    if isinstance(document, Mapping):
        results = document.get("results", document.get("data"))
    items = in_order(results, count, "scores")
    if any("index" not in item for item in items):  # sorted by score, they would belong to other texts
        raise invalid("scores that don't say which text they are for")
    return check_scores([item.get("relevance_score", item.get("score")) for item in items], count)


def _root(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/v1")))
