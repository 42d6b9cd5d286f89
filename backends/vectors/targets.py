"""Connects to a target of the catalogue whose kind embeds or reranks."""

from __future__ import annotations

from backends.catalog import Catalog
from backends.errors import NotConfigured
from backends.vectors.types import EmbeddingBackend, RerankingBackend


def connect_embeddings(catalog: Catalog, name: str) -> EmbeddingBackend:
    """Return the backend of the target `name`; `NotConfigured` if its kind doesn't embed."""
    backend = catalog.connect(name)
    if isinstance(backend, EmbeddingBackend):
        return backend
    raise NotConfigured("Its kind makes no embeddings.", _remedy("embedded, huggingface, ollama, openai"), target=name)


def connect_reranking(catalog: Catalog, name: str) -> RerankingBackend:
    """Return the backend of the target `name`; `NotConfigured` if its kind doesn't rerank."""
    backend = catalog.connect(name)
    if isinstance(backend, RerankingBackend):
        return backend
    raise NotConfigured("Its kind does not rerank.", _remedy("embedded, huggingface, openai"), target=name)


def _remedy(kinds: str) -> str:
    return f"Name a target of one of these kinds: {kinds}, transformers."
