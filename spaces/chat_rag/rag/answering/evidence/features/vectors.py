"""Vectors of units and of their words, kept for the next questions by hash: nothing of the texts stays in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from weakref import WeakKeyDictionary

from rag.search.embedding.embedders import Embedder
from rag.search.embedding.token_vectors import TokenVectors

# Tokens whose vectors are kept; 15 MB in half precision. A question needs about a thousand, or some thousand with a
# multilingual model, which embeds all units.
_KEPT_TOKENS = 20_000
_lock = threading.Lock()


@dataclass
class _Cache:
    texts: OrderedDict[bytes, TokenVectors] = field(default_factory=OrderedDict)
    tokens: int = 0

    def add(self, key: bytes, vectors: TokenVectors) -> None:
        """Keep the vectors of a text as the latest ones, and drop those that nothing asked for the longest."""
        self.tokens += 0 if key in self.texts else 1 + len(vectors.tokens)
        self.texts[key] = vectors
        self.texts.move_to_end(key)
        while self.tokens > _KEPT_TOKENS:
            _, dropped = self.texts.popitem(last=False)
            self.tokens -= 1 + len(dropped.tokens)


_caches: WeakKeyDictionary[Embedder, _Cache] = WeakKeyDictionary()


def encode(embedder: Embedder, texts: Sequence[str]) -> list[TokenVectors]:
    """Return the vectors of each text; only texts that are new are embedded, together."""
    keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]
    with _lock:
        cache = _caches.setdefault(embedder, _Cache())
        known = {key: cache.texts[key] for key in keys if key in cache.texts}
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if new:
        known |= dict(zip(new, embedder.encode_tokens(list(new.values())), strict=True))
    with _lock:
        for key in keys:
            cache.add(key, known[key])
    return [known[key] for key in keys]
