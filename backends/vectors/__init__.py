"""Embeddings and reranking: what an embedding model or a cross-encoder does with texts, on any platform.

from backends import Catalog
from backends.vectors import connect_embeddings

embeddings = await connect_embeddings(Catalog.load(), "ollama").embed(["a text", "another"])
"""

from backends.vectors.targets import connect_embeddings, connect_reranking
from backends.vectors.types import EmbeddingBackend, Embeddings, RerankingBackend, Vector

__all__ = ["EmbeddingBackend", "Embeddings", "RerankingBackend", "Vector", "connect_embeddings", "connect_reranking"]
