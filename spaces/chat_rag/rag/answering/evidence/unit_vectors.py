"""Vectors of units, kept for the next questions by hash: nothing of the texts stays in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from rag.search.embedders import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KEPT_VECTORS = 20_000  # 31 MB
_lock = threading.Lock()
_caches: WeakKeyDictionary[Embedder, OrderedDict[bytes, NDArray[np.float32]]] = WeakKeyDictionary()


def encode(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return one vector per text, as the rows of an array; only texts that are new are embedded, in one batch."""
    import numpy as np

    keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]
    with _lock:
        cache = _caches.setdefault(embedder, OrderedDict())
        known = {key: cache[key] for key in keys if key in cache}
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if new:
        known |= dict(zip(new, embedder.encode(list(new.values()), urgent=True), strict=True))
    with _lock:
        for key in keys:
            cache[key] = known[key]
            cache.move_to_end(key)
        while len(cache) > _KEPT_VECTORS:
            cache.popitem(last=False)
    return np.stack([known[key] for key in keys])
