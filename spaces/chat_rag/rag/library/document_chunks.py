"""Cuts a document into the chunks that the search finds, and embeds them."""

from __future__ import annotations

from typing import Any

from rag.documents import Chunk, Document, ShareReport
from rag.reading.chunk import chunk_document
from rag.search.embedding.embedders import Embedder
from rag.search.index import search_text
from rag.search.languages import DENSE_LANGUAGES, detect_language

# Characters. Small chunks are found precisely, and `rag.answering.retrieve` joins neighbours, so an overlap would only
# repeat text. Measured on 472 questions (benchmarks/search/retrieval.py): sizes from 400 to 500 find most.
CHUNK_SIZE, CHUNK_OVERLAP = 450, 0
# The share of it for text in Chinese, Japanese and Korean: XQuAD's paragraphs have 785 characters in English and 252 in
# Chinese. Over 298 Chinese questions, 600 characters of passages contain 94.6 % of the answers at 225, 93.0 % at 450.
DENSE_SHARE = 0.5
# Raise it when the chunker changes at the same sizes: stored documents are then discarded.
CHUNKING_VERSION = 4


def vectors_label(model: str) -> str:
    """Return the model and the chunker that stored vectors depend on; vectors with another label are useless."""
    return f"{model} {CHUNKING_VERSION} {CHUNK_SIZE} {CHUNK_OVERLAP}"


def embed_document(
    document: Document, embedder: Embedder, report: ShareReport | None = None
) -> tuple[list[Chunk], Any]:
    """Return the chunks of a document, and one vector (float32) for each."""
    chunks = chunk_document(document, size=_chunk_size(document.text), overlap=CHUNK_OVERLAP)
    return chunks, embedder.encode([search_text(chunk) for chunk in chunks], report)


def _chunk_size(text: str) -> int:
    return int(CHUNK_SIZE * DENSE_SHARE) if detect_language(text) in DENSE_LANGUAGES else CHUNK_SIZE
