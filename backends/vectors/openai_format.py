"""The /embeddings of the OpenAI format, and the /rerank that servers of it add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from backends.chat.failures import server_failure
from backends.chat.parts.usage import read_usage
from backends.errors import Rejected
from backends.http.client import post_json
from backends.http.endpoint import Endpoint
from backends.http.failures.error_words import error_words
from backends.http.failures.errors import ErrorFactory
from backends.vectors.checks import check_scores, check_vectors, in_order, invalid
from backends.vectors.types import Embeddings


async def request_embeddings(
    endpoint: Endpoint, fields: Mapping[str, Any], texts: Sequence[str], make_error: ErrorFactory
) -> Embeddings:
    """Return the embeddings of one batch of texts; `fields` are added to the request."""
    body = {"input": list(texts), "encoding_format": "float", **fields}
    try:
        document = await post_json(endpoint, "/embeddings", body, make_error)
    except Rejected as error:
        if error.status not in (400, 422) or "encoding_format" not in error.message:
            raise
        del body["encoding_format"]  # base64 is read, too
        document = await post_json(endpoint, "/embeddings", body, make_error)
    items = in_order(_vector_items(endpoint, document), len(texts), "vectors")
    vectors = check_vectors([item.get("embedding") for item in items], len(texts))
    usage = read_usage(document.get("usage")) if isinstance(document, Mapping) else None
    return Embeddings(vectors, usage.input_tokens if usage and "prompt_tokens" in document["usage"] else None)


def _vector_items(endpoint: Endpoint, document: Any) -> Any:
    """The items of an answer; a plain list of vectors is in the order of the texts."""
    items = document
    if isinstance(document, Mapping):
        items = document.get("data", document.get("embeddings"))
        if not items:
            _raise_error(endpoint, document)
    if isinstance(items, list) and items and all(isinstance(item, list) for item in items):
        return [{"embedding": item} for item in items]
    return items


def _raise_error(endpoint: Endpoint, document: Mapping[str, Any]) -> None:
    """Raise the error that a server reports with a status that says success, if it does."""
    error = document.get("error") or document.get("errors")
    if error or error_words(document):
        raise server_failure(document if isinstance(error, (bool, int)) or not error else error, endpoint.quote)


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
    if isinstance(document, Mapping) and not (document.get("results") or document.get("data")):
        _raise_error(endpoint, document)
    return read_scores(document, len(texts))


def read_scores(document: Any, count: int) -> list[float]:
    """Read the scores of an answer: a list, or an object with `results` or `data`."""
    results = document
    if isinstance(document, Mapping):
        results = document.get("results", document.get("data"))
    items = in_order(results, count, "scores")
    if any("index" not in item for item in items):  # sorted by score, they would belong to other texts
        raise invalid("scores that don't say which text they are for")
    return check_scores([_score(item) for item in items], count)


def _score(item: Mapping[str, Any]) -> Any:
    score = item.get("relevance_score")
    return item.get("score") if score is None else score


def _root(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/v1")))
