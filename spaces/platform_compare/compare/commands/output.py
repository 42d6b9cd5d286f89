"""Writes the output files of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from compare.errors import CompareError


def write_file(
    path: Path | None, text: str, mode: Literal["w", "a"] = "w", *, remedy: str = "Choose another path."
) -> None:
    """Write a text, or add it with the mode "a"; nothing without a path. `CompareError` says why that is impossible."""
    if path is None:
        return
    try:
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise CompareError(f"Can't write {path} ({error.strerror}).", remedy) from error
