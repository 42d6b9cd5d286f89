"""Files and streams with one JSON object a line, whose errors name the line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.errors import RagError

_BOM = b"\xef\xbb\xbf"


def read_json_lines(path: Path, remedy: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file in UTF-8 with the numbers of their lines; a line without text is skipped.

    Raises `RagError` with `remedy`, which says what a line looks like.
    """
    try:
        with path.open("rb") as file:
            yield from parse_json_lines(file, str(path), remedy)
    except OSError as error:
        raise RagError(f"Can't read {path}: {error.strerror or error}.", "Pass a JSONL file in UTF-8.") from error


def parse_json_lines(lines: Iterable[bytes], name: str, remedy: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of lines in UTF-8, as `read_json_lines` does; `name` says in errors where the lines are."""
    for number, line in enumerate(lines, start=1):
        place = f"Line {number} of {name}"
        if number == 1:
            line = line.removeprefix(_BOM)
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            at = line[error.start]
            raise RagError(f"{place} isn't UTF-8: it has the byte 0x{at:02X}.", "Save the file as UTF-8.") from error
        if text:
            yield number, _parse(text, place, remedy)


def write_json_lines(path: Path, values: Iterable[Any]) -> None:
    """Write a file with a value a line, as a whole or not at all."""
    if not path.name:
        raise RagError(f"Can't write {path}: it isn't the name of a file.", "Choose another place with --out.")
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            # Half of a character, which can't be written, becomes an escape of JSON.
            file.writelines(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)
        part.replace(path)
    except OSError as error:
        raise RagError(f"Can't write {path}: {error.strerror or error}.", "Choose another place with --out.") from error
    finally:
        with suppress(OSError):  # the first error is the one to report
            part.unlink()


def _parse(text: str, place: str, remedy: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RagError(f"{place} isn't JSON ({error}).", remedy) from error
    if "\\ud" in text.lower():  # half of a character, as of an emoji that was cut, becomes a "?"
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise RagError(f"{place} isn't a JSON object.", remedy)
    return value
