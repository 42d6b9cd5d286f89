"""An embedder that embeds no text twice, not even in the next run."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from rag.documents import ShareReport
from rag.search.embedders import Embedder


class CachedEmbedder(Embedder):
    """The packaged model with its vectors in memory, and in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        super().__init__()
        self._file = file
        self._vectors: dict[str, Any] = {}
        if file and file.is_file():
            import numpy as np

            stored = np.load(file)
            self._vectors = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def encode(self, texts: Sequence[str], report: ShareReport | None = None) -> Any:
        import numpy as np

        keys = [sha256(text.encode()).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        if new:
            self._vectors |= dict(zip(new, super().encode(list(new.values()), report), strict=True))
        return np.stack([self._vectors[key] for key in keys])

    def save(self) -> None:
        """Write the vectors to the file."""
        if self._file:
            import numpy as np

            np.savez(self._file, keys=list(self._vectors), vectors=np.array(list(self._vectors.values()), np.float32))
