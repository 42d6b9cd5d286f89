"""Refuses files that must never be published: secrets, caches, and files that are too large."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from backends.secret_rules.rules import find_secrets
from publishing.errors import ContentError
from publishing.scan.limits import Unscannable
from publishing.scan.secret_paths import secret_kind
from publishing.scan.texts import Text, texts

MAX_FILE_BYTES = 10_000_000
MAX_TOTAL_BYTES = 100_000_000
# Larger documents are scanned in blocks, and nothing in them is unpacked. No reader of ours reads one of them.
MAX_WHOLE_BYTES = 100_000_000
BLOCK_OVERLAP = 10_000  # longer than a secret
MAX_PROBLEMS = 20  # that a message lists
# Files that don't belong into a Space, besides those that are known for secrets.
UNWANTED = re.compile(r"(^|/)([^/]*\.(pyc|ipynb)|\.git|__pycache__|\.ds_store|tests?/.*)(/|$)", re.IGNORECASE)


def check_content(files: dict[str, Path], *, any_size: bool = False) -> None:
    """Raise `ContentError` if a file must not be published; it names files and lines, never the secret.

    With `any_size`, files may be larger than a Space's, and they are scanned in parts.
    """
    problems = [*_path_problems(files), *([] if any_size else _size_problems(files))]
    for relative_path, path in files.items():
        if path.is_symlink():
            continue
        if path.stat().st_size <= MAX_FILE_BYTES:
            problems += _secrets(relative_path, path.read_bytes())
        elif any_size:
            for name, part in _parts(relative_path, path):
                problems += _secrets(name, part)
    if problems:
        listing = "\n  ".join(_printable(problem) for problem in problems[:MAX_PROBLEMS])
        rest = f"\n  and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
        raise ContentError(
            f"These files must not be published:\n  {listing}{rest}",
            "Remove them. Revoke and replace every secret that was ever committed.",
        )


def _parts(relative_path: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a large file of JSON lines with their names, or another one in blocks, which overlap."""
    with path.open("rb") as file:
        if path.suffix == ".jsonl":
            yield from ((f"{relative_path}, document {number}", line) for number, line in enumerate(file, start=1))
            return
        end = b""
        while block := file.read(MAX_WHOLE_BYTES):
            yield relative_path, end + block
            end = block[-BLOCK_OVERLAP:]


def _secrets(relative_path: str, data: bytes) -> Iterator[str]:
    """Yield a problem for each line with a secret, in the file or in a part of it."""
    if any(find_secrets(relative_path.encode("utf-8", "replace").decode("latin-1"))):
        yield f"a file in {Path(relative_path).parent}: its name is a secret"
    seen: set[str] = set()
    parts: set[str] = {""}
    try:
        for text in texts(data):
            where = f"{relative_path}, {text.part}" if text.part else relative_path
            if text.part not in parts and (kind := secret_kind(text.part)):
                yield f"{where}: this kind of file is never published ({kind})"
            parts.add(text.part)
            for line, kind in _found(text, seen):
                yield f"{where}, line {line}: {kind}" if text.has_lines else f"{where}: {kind}"
    except Unscannable as error:
        yield f"{relative_path}: {error}"


def _found(text: Text, seen: set[str]) -> Iterator[tuple[int, str]]:
    """Yield line and kind of each secret that isn't in `seen`, which gets it; one for each line."""
    findings = find_secrets(text.text)
    lines: set[int] = set()
    ends = [match.start() for match in re.finditer("\n", text.text)] if findings else []
    for finding in findings:
        line = bisect_left(ends, finding.start) + 1
        if finding.secret not in seen and line not in lines:
            yield line, finding.rule
        seen.add(finding.secret)
        lines.add(line)


def _path_problems(files: dict[str, Path]) -> Iterator[str]:
    for relative_path, path in files.items():
        if kind := secret_kind(relative_path):
            yield f"{relative_path}: this kind of file is never published ({kind})"
        elif UNWANTED.search(relative_path):
            yield f"{relative_path}: this kind of file is never published"
        if path.is_symlink():
            yield f"{relative_path}: a symbolic link"


def _size_problems(files: dict[str, Path]) -> Iterator[str]:
    sizes = {relative_path: path.lstat().st_size for relative_path, path in files.items()}
    for relative_path, size in sizes.items():
        if size > MAX_FILE_BYTES:
            yield f"{relative_path}: {size / 1e6:,.0f} MB, the limit for a file is {MAX_FILE_BYTES / 1e6:g}"
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        yield f"all files: {sum(sizes.values()) / 1e6:,.0f} MB, the limit for a Space is {MAX_TOTAL_BYTES / 1e6:g}"


def _printable(text: str) -> str:
    """Replace characters that could control a terminal: an archive's author chooses the names of its members."""
    return "".join(character if character.isprintable() else "?" for character in text)
