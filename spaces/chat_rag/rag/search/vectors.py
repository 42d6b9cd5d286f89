"""Vectors to chunks: one Chroma collection for each visitor, embedded or on a server."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from rag.errors import RetrievalError

logger = logging.getLogger(__name__)
ADD_AT_ONCE = 1000
PREFIX, USED = "visitor-", "used"  # of a collection: how its name begins, and when it was last marked (Unix seconds)
MARK_SECONDS = 600
# The wider the search, the fewer near neighbours it misses.
HNSW = {"space": "cosine", "ef_search": 200}
_START = "Start it (chroma run --port 8000), or unset SPACEPORT_CHROMA_URL to search in memory."
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
            _START,
        ) from error


class VectorIndex:
    """A collection of its own under a random name, so that no visitor can reach another's.

    A server that does not answer is a `RetrievalError`; when it is back with its data, the index works again.
    """

    def __init__(self, client: Any | None = None) -> None:
        self._client = client or chroma_client()
        self._name = f"{PREFIX}{uuid.uuid4().hex}"
        # Documents that could not be deleted, as the server was away: they go before anything else is done.
        self._owed: set[str] = set()
        self._used = time.time()
        with _telling(self._client):
            self._collection = self._client.create_collection(
                self._name,
                configuration={"hnsw": HNSW},
                metadata={USED: self._used},
                embedding_function=None,
            )

    def add(self, document_id: str, ids: Sequence[str], vectors: Any) -> None:
        """Add a document's vectors, of any length but 0, under the identifiers of its chunks."""
        with self._ready():
            for start in range(0, len(ids), ADD_AT_ONCE):
                part = slice(start, start + ADD_AT_ONCE)
                self._collection.add(
                    ids=list(ids[part]),
                    embeddings=vectors[part],
                    metadatas=[{"document": document_id} for _ in ids[part]],
                )

    def remove(self, document_id: str) -> None:
        """Remove every vector of a document; where the server is away, before anything else when it is back."""
        self._owed.add(document_id)
        try:
            with self._ready():
                pass
        except RetrievalError as error:
            logger.warning("The vectors of a removed document are still to be deleted: %s", error)

    def search(self, vector: Sequence[float], limit: int) -> list[tuple[str, float]]:
        """The nearest chunks: identifier and cosine similarity, 1 for the same direction."""
        with self._ready():
            found = self._collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        return [
            (chunk_id, 1 - distance) for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def close(self) -> None:
        """Delete the collection; where the server is away, `sweep` does it later."""
        try:
            with _telling(self._client):
                self._client.delete_collection(self._name)
        except RetrievalError as error:
            logger.warning("The collection %s is still to be swept: %s", self._name, error)

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """What is owed is done, the collection is marked as in use, and errors are told with a remedy."""
        with _telling(self._client):
            for document_id in list(self._owed):
                self._collection.delete(where={"document": document_id})
                self._owed.discard(document_id)
            if time.time() - self._used > MARK_SECONDS:
                self._used = time.time()
                self._collection.modify(metadata={USED: self._used})
            yield


def sweep(client: Any, older_than_seconds: float) -> int:
    """Delete the collections of visitors that nothing has used for so long, whose process has died; how many went.

    A living one marks itself every ten minutes in which it is used, so `older_than_seconds` is to be longer than the
    longest session without a question.
    """
    swept = 0
    with _telling(client):
        for collection in client.list_collections():
            used = (collection.metadata or {}).get(USED)
            if collection.name.startswith(PREFIX) and used is not None and time.time() - used > older_than_seconds:
                with suppress(_not_found()):  # another process sweeps too
                    client.delete_collection(collection.name)
                    swept += 1
    return swept


@contextmanager
def _telling(client: Any) -> Iterator[None]:
    """Errors of Chroma in words; it raises kinds of its own, its transport's, and bare ValueError and Exception."""
    try:
        yield
    except RetrievalError:
        raise
    except Exception as error:
        raise _told(client, error) from error


def _told(client: Any, error: Exception) -> RetrievalError:
    import httpx

    settings = client.get_settings()
    where = f"{settings.chroma_server_host}:{settings.chroma_server_http_port}"
    if isinstance(error, httpx.TransportError):
        return RetrievalError(f"Chroma is not answering at {where}.", _START)
    if isinstance(error, _not_found()):
        return RetrievalError(
            "Chroma no longer has the vectors of this session.",
            "Remove the documents and add them again; start the server with --path, and it keeps them.",
        )
    return RetrievalError(f"Chroma could not do that ({type(error).__name__}: {error}).", "Look into Chroma's log.")


def _not_found() -> type[Exception]:
    from chromadb.errors import NotFoundError

    return NotFoundError
