"""Refuses files that must never be published: secrets, caches, and files that are too large."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from publishing.errors import ContentError

MAX_FILE_BYTES = 10_000_000
MAX_TOTAL_BYTES = 100_000_000
MAX_PROBLEMS = 20  # that a message lists
FORBIDDEN_PATHS = re.compile(
    r"(^|/)(\.env(\.(?!example)[^/]*)?|\.netrc|id_rsa[^/]*|[^/]*\.(pem|key|p12|pfx|pyc|ipynb)|\.git|__pycache__"
    r"|\.DS_Store|tests?/.*)(/|$)"
)
SECRET_PATTERNS = {
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),
    "an OpenAI key": re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}\b"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b"),
    "a Slack token": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "a password in an address": re.compile(r"(?<=[a-z0-9])://[^/\s:@\"'{}$]+:[^/\s:@\"'{}$]{3,}@[\w.-]+"),
}
_SECRET_ASSIGNMENT = re.compile(
    # `++` and `(?!…)`: a name is read once, not once from each of the words in it.
    r"(?i)(?:api[_-]?key|secret|token|passw(?:or)?d|credential)"
    r"(?:(?!api[_-]?key|secret|token|passw|credential)[\w-])*+[\"']?\s*+[:=]\s*+[\"']([^\"'\s]{16,}+)[\"']"
)
_PLACEHOLDER = re.compile(r"\$\{|<|\.\.\.|…|x{4,}|example|your[_-]", re.IGNORECASE)


def check_content(files: dict[str, Path]) -> None:
    """Raise `ContentError` if a file must not be published; it names files and lines, never the secret."""
    problems = [*_path_problems(files), *_size_problems(files)]
    for relative_path, path in files.items():
        problems += [f"{relative_path}, line {line}: {kind}" for line, kind in secrets(path)]
    if problems:
        listing = "\n  ".join(problems[:MAX_PROBLEMS])
        rest = f"\n  and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
        raise ContentError(
            f"These files must not be published:\n  {listing}{rest}",
            "Remove them. Revoke and replace every secret that was ever committed.",
        )


def secrets(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of each line of a text file that contains a secret, and the kind of secret."""
    data = path.read_bytes()
    if b"\0" in data[:8192]:
        return
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        for kind, pattern in SECRET_PATTERNS.items():
            if pattern.search(line):
                yield number, kind
        for match in _SECRET_ASSIGNMENT.finditer(line):
            if not _PLACEHOLDER.search(match[1]) and entropy(match[1]) > 3.5:
                yield number, "a random value under the name of a secret"


def entropy(text: str) -> float:
    """Return the bits per character: words have about 3, keys 4 and more."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def _path_problems(files: dict[str, Path]) -> Iterator[str]:
    for relative_path, path in files.items():
        if FORBIDDEN_PATHS.search(relative_path):
            yield f"{relative_path}: this kind of file is never published"
        if path.is_symlink():
            yield f"{relative_path}: a symbolic link"


def _size_problems(files: dict[str, Path]) -> Iterator[str]:
    sizes = {relative_path: path.stat().st_size for relative_path, path in files.items()}
    for relative_path, size in sizes.items():
        if size > MAX_FILE_BYTES:
            yield f"{relative_path}: {size / 1e6:,.0f} MB, the limit for a file is {MAX_FILE_BYTES / 1e6:g}"
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        yield f"all files: {sum(sizes.values()) / 1e6:,.0f} MB, the limit for a Space is {MAX_TOTAL_BYTES / 1e6:g}"
