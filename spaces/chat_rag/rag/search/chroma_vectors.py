"""Vector search with one Chroma collection per visitor, embedded or on a server."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from rag.errors import RetrievalError
from rag.search.memory_vectors import chunk_key

logger = logging.getLogger(__name__)
BATCH = 1000
PREFIX = "visitor-"  # of a collection's name
LAST_USED = "used"  # metadata of a collection: Unix time when it was last marked as used
MARK_SECONDS = 600
# A wider search misses fewer near neighbours.
HNSW = {"space": "cosine", "ef_search": 200}
_START_CHROMA = "Start it (chroma run --port 8000), or unset SPACEPORT_CHROMA_URL to search in memory."
_clients_lock = threading.Lock()
_clients: dict[str, Any] = {}


def chroma_client(url: str | None = None) -> Any:
    """Return this process's Chroma client for `url` or SPACEPORT_CHROMA_URL, or an embedded one without a URL.

    An embedded client works in memory: uploads never touch the disk and end with the process.
    """
    url = url or os.environ.get("SPACEPORT_CHROMA_URL") or ""
    with _clients_lock:
        if url not in _clients:
            _clients[url] = _connect(url)
        return _clients[url]


def _connect(url: str) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if not url:
        return chromadb.EphemeralClient(settings=settings)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RetrievalError(f"SPACEPORT_CHROMA_URL is {url!r}, which isn't a URL.", "Write it like http://host:8000.")
    ssl = parts.scheme == "https"
    port = parts.port or (443 if ssl else 80)
    try:
        return chromadb.HttpClient(host=parts.hostname, port=port, ssl=ssl, settings=settings)
    except Exception as error:  # Chroma raises a bare ValueError for any error of its transport
        raise RetrievalError(
            f"Chroma is not answering at {parts.scheme}://{parts.hostname}:{port}.", _START_CHROMA
        ) from error


class VectorIndex:
    """A collection with a random name, so that no visitor can reach another's.

    Raises `RetrievalError` while the server doesn't answer; when it is back with its data, the index works again.
    """

    def __init__(self, client: Any | None = None) -> None:
        self._client = client or chroma_client()
        self._name = f"{PREFIX}{uuid.uuid4().hex}"
        # Documents whose deletion failed because the server didn't answer; they are deleted before the next operation.
        self._pending_deletions: set[str] = set()
        self._last_used = time.time()
        with _translate_errors(self._client):
            self._collection = self._client.create_collection(
                self._name,
                configuration={"hnsw": HNSW},
                metadata={LAST_USED: self._last_used},
                embedding_function=None,
            )

    def add(self, document_id: str, vectors: Any) -> None:
        """Add a document's vectors, of any length but 0, one for each chunk, in order."""
        with self._operation():
            for start in range(0, len(vectors), BATCH):
                batch = vectors[start : start + BATCH]
                self._collection.add(
                    ids=[chunk_key(document_id, start + row) for row in range(len(batch))],
                    embeddings=batch,
                    metadatas=[{"document": document_id} for _ in batch],
                )

    def remove(self, document_id: str) -> None:
        """Remove a document's vectors; if the server doesn't answer, they are removed before the next operation."""
        self._pending_deletions.add(document_id)
        try:
            with self._operation():
                pass
        except RetrievalError as error:
            logger.warning("The vectors of a removed document are deleted later: %s", error)

    def search(self, vector: Sequence[float], limit: int, left_out: Collection[str] = ()) -> list[tuple[str, float]]:
        """Return the nearest chunks of the documents that aren't left out, each with its key and cosine similarity."""
        where: Any = {"document": {"$nin": list(left_out)}} if left_out else None
        with self._operation():
            result = self._collection.query(
                query_embeddings=[vector], n_results=limit, where=where, include=["distances"]
            )
        pairs = zip(result["ids"][0], result["distances"][0], strict=True)
        return [(chunk_id, 1 - distance) for chunk_id, distance in pairs]

    def close(self) -> None:
        """Delete the collection; if the server doesn't answer, `sweep` deletes it later."""
        try:
            with _translate_errors(self._client):
                self._client.delete_collection(self._name)
        except RetrievalError as error:
            logger.warning("The collection %s is deleted later: %s", self._name, error)

    @contextmanager
    def _operation(self) -> Iterator[None]:
        """Delete what is pending, mark the collection as used, and translate errors."""
        with _translate_errors(self._client):
            for document_id in list(self._pending_deletions):
                self._collection.delete(where={"document": document_id})
                self._pending_deletions.discard(document_id)
            if time.time() - self._last_used > MARK_SECONDS:
                self._last_used = time.time()
                self._collection.modify(metadata={LAST_USED: self._last_used})
            yield


def sweep(client: Any, older_than_seconds: float) -> int:
    """Delete collections last used more than `older_than_seconds` ago, left by killed processes; return their number.

    A collection in use is marked every ten minutes, so `older_than_seconds` must be longer than the longest session
    without a question.
    """
    count = 0
    with _translate_errors(client):
        for collection in client.list_collections():
            last_used = (collection.metadata or {}).get(LAST_USED)
            is_stale = last_used is not None and time.time() - last_used > older_than_seconds
            if collection.name.startswith(PREFIX) and is_stale:
                with suppress(_not_found()):  # another process sweeps too
                    client.delete_collection(collection.name)
                    count += 1
    return count


@contextmanager
def _translate_errors(client: Any) -> Iterator[None]:
    """Turn Chroma's errors into `RetrievalError`: its own, its transport's, and bare ValueError and Exception."""
    try:
        yield
    except RetrievalError:
        raise
    except Exception as error:
        raise _retrieval_error(client, error) from error


def _retrieval_error(client: Any, error: Exception) -> RetrievalError:
    import httpx

    settings = client.get_settings()
    address = f"{settings.chroma_server_host}:{settings.chroma_server_http_port}"
    if isinstance(error, httpx.TransportError):
        return RetrievalError(f"Chroma is not answering at {address}.", _START_CHROMA)
    if isinstance(error, _not_found()):
        return RetrievalError(
            "Chroma no longer has the vectors of this session.",
            "Remove the documents and add them again. To keep vectors, start the server with --path.",
        )
    return RetrievalError(f"Chroma failed ({type(error).__name__}: {error}).", "Check Chroma's log.")


def _not_found() -> type[Exception]:
    from chromadb.errors import NotFoundError

    return NotFoundError
