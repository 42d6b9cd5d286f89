"""An embedder for measurements that search the same texts several times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from rag.search.embedding.embedders import Embedder
from rag.search.embedding.token_vectors import TokenVectors


class CachedEmbedder(Embedder):
    """An embedder that embeds no text twice; with a file, not even in the next run."""

    def __init__(self, file: Path | None = None) -> None:
        super().__init__()
        self._file = file
        self._vectors: dict[str, Any] = {}
        self._tokens: dict[str, TokenVectors] = {}
        if file and file.is_file():
            import numpy as np

            cache = np.load(file)
            self._vectors = dict(zip(cache["texts"].tolist(), cache["vectors"], strict=True))

    def _encode(self, texts: Sequence[str], report: Callable[[float], None] | None = None) -> Any:
        import numpy as np

        keys = [sha256(text.encode()).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        if new:
            self._vectors |= dict(zip(new, super()._encode(list(new.values()), report), strict=True))
        return np.stack([self._vectors[key] for key in keys])

    def _encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        new = [text for text in dict.fromkeys(texts) if text not in self._tokens]
        self._tokens |= dict(zip(new, super()._encode_tokens(new) if new else [], strict=True))
        return [self._tokens[text] for text in texts]

    def save(self) -> None:
        """Write the vectors to the file, if there is one."""
        if self._file:
            import numpy as np

            np.savez(self._file, texts=list(self._vectors), vectors=np.array(list(self._vectors.values()), np.float32))
