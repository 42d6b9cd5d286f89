"""Passages from the text files of a folder, or from generated words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from compare.errors import WorkloadError
from compare.measure.workloads.filler import filler

SUFFIXES = (".txt", ".md")
MAX_BYTES = 50_000_000
# Of a token of common text; the server reports how many tokens there really are.
CHARACTERS = 4


class Passages:
    """A source of passages; without documents, they are common words."""

    def __init__(self, documents: Sequence[str] = ()) -> None:
        self._documents = documents
        self._sizes = [len(text) for text in documents]

    def passage(self, tokens: int, source: random.Random) -> str:
        """Return about so many tokens from one place of one document."""
        if not self._documents:
            return filler(tokens, source)
        (text,) = source.choices(self._documents, self._sizes)
        length = tokens * CHARACTERS
        start = source.randrange(max(1, len(text) - length))
        passage = text[start : start + length]
        while len(passage) < length:  # of a short document
            passage += f"\n{text[: length - len(passage)]}"
        return passage.strip() or filler(tokens, source)


def read_documents(folder: Path) -> Passages:
    """Read the text files of a folder; `WorkloadError` says why that is impossible."""
    try:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if not folder.is_dir() or not paths:
            raise WorkloadError(f"{folder} has no text files.", f"Name a folder with {' or '.join(SUFFIXES)} files.")
        if (size := sum(path.stat().st_size for path in paths)) > MAX_BYTES:
            raise WorkloadError(
                f"The text files of {folder} have {size / 1e6:,.0f} MB.", f"Use up to {MAX_BYTES / 1e6:g} MB of them."
            )
        texts = [path.read_text(encoding="utf-8-sig", errors="replace") for path in paths]
    except OSError as error:
        raise WorkloadError(f"Can't read {error.filename} ({error.strerror}).", "Check the path.") from error
    if not (documents := [text for text in texts if text.strip()]):
        raise WorkloadError(f"All text files of {folder} are empty.", "Name a folder with text.")
    return Passages(documents)
