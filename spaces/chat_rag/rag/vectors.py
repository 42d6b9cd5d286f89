"""Vectors to chunks: one Chroma collection for each visitor, embedded or on a server."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from rag.errors import RetrievalError

ADD_AT_ONCE = 1000
_opening = threading.Lock()
_clients: dict[str, Any] = {}


def chroma_client(url: str | None = None) -> Any:
    """The Chroma client of this process: the server that `url` or SPACEPORT_CHROMA_URL names, or embedded.

    Embedded means in memory: what a visitor uploaded never touches the disk and is gone with the process.
    """
    url = url or os.environ.get("SPACEPORT_CHROMA_URL") or ""
    with _opening:
        if url not in _clients:
            _clients[url] = _open(url)
        return _clients[url]


def _open(url: str) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if not url:
        return chromadb.EphemeralClient(settings=settings)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RetrievalError(f"SPACEPORT_CHROMA_URL is {url!r}, which is no URL.", "Write it like http://host:8000.")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        return chromadb.HttpClient(host=parts.hostname, port=port, ssl=secure, settings=settings)
    except Exception as error:  # Chroma raises a bare ValueError over whatever its transport raised
        raise RetrievalError(
            f"Chroma is not answering at {parts.scheme}://{parts.hostname}:{port}.",
            "Start it (chroma run --port 8000), or unset SPACEPORT_CHROMA_URL to search in memory.",
        ) from error


class VectorIndex:
    """A collection of its own under a random name, so that no visitor can reach another's."""

    def __init__(self, client: Any | None = None) -> None:
        self._client = client or chroma_client()
        self._name = f"visitor-{uuid.uuid4().hex}"
        self._collection = self._client.create_collection(
            self._name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )

    def add(self, document_id: str, ids: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        """Add a document's vectors under the identifiers of its chunks."""
        for start in range(0, len(ids), ADD_AT_ONCE):
            part = slice(start, start + ADD_AT_ONCE)
            self._collection.add(
                ids=list(ids[part]),
                embeddings=[list(vector) for vector in vectors[part]],
                metadatas=[{"document": document_id} for _ in ids[part]],
            )

    def remove(self, document_id: str) -> None:
        """Remove every vector of a document."""
        self._collection.delete(where={"document": document_id})

    def search(self, vector: Sequence[float], limit: int) -> list[tuple[str, float]]:
        """The nearest chunks: identifier and cosine similarity, 1 for the same direction."""
        found = self._collection.query(query_embeddings=[list(vector)], n_results=limit, include=["distances"])
        return [
            (chunk_id, 1 - distance) for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def close(self) -> None:
        """Delete the collection."""
        self._client.delete_collection(self._name)
