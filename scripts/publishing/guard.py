"""What must never be published: secrets, caches, and more than a Space can carry."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from publishing.errors import GuardError

MAX_FILE_BYTES = 10_000_000
MAX_TOTAL_BYTES = 100_000_000
FORBIDDEN = re.compile(
    r"(^|/)(\.env(\.(?!example)[^/]*)?|\.netrc|id_rsa[^/]*|[^/]*\.(pem|key|p12|pfx|pyc|ipynb)|\.git|__pycache__"
    r"|\.DS_Store|tests?/.*)(/|$)"
)
KINDS = {
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),
    "an OpenAI key": re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}\b"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b"),
    "a Slack token": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@\"'{}$]+:[^/\s:@\"'{}$]{3,}@[\w.-]+"),
}
_TELLING = re.compile(
    r"(?i)\b[\w-]*(?:api[_-]?key|secret|token|passw(?:or)?d|credential)[\w-]*[\"']?\s*[:=]\s*[\"']([^\"'\s]{16,})[\"']"
)
_PLACEHOLDER = re.compile(r"\$\{|<|\.\.\.|…|x{4,}|example|your[_-]", re.IGNORECASE)


def guard(files: dict[str, Path]) -> None:
    """Raise `GuardError` that names each file and line, and never what stands there."""
    wrong = [*_places(files), *_sizes(files)]
    for place, path in files.items():
        wrong += [f"{place}, line {line}: {what}" for line, what in secrets(path)]
    if wrong:
        shown = "\n  ".join(wrong[:20])
        more = f"\n  and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise GuardError(
            f"This must not be published:\n  {shown}{more}",
            "Remove it; a secret that was ever committed must be made anew.",
        )


def secrets(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that hold a secret, and of what kind."""
    data = path.read_bytes()
    if b"\0" in data[:8192]:
        return
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        for what, pattern in KINDS.items():
            if pattern.search(line):
                yield number, what
        for found in _TELLING.finditer(line):
            if not _PLACEHOLDER.search(found[1]) and entropy(found[1]) > 3.5:
                yield number, "what looks like a secret, under a telling name"


def entropy(text: str) -> float:
    """Bits a character: words have about 3, keys 4 and more."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def _places(files: dict[str, Path]) -> Iterator[str]:
    for place, path in files.items():
        if FORBIDDEN.search(place):
            yield f"{place}: no file of this kind"
        if path.is_symlink():
            yield f"{place}: a link"


def _sizes(files: dict[str, Path]) -> Iterator[str]:
    sizes = {place: path.stat().st_size for place, path in files.items()}
    for place, size in sizes.items():
        if size > MAX_FILE_BYTES:
            yield f"{place}: {size / 1e6:,.0f} MB, a file may have {MAX_FILE_BYTES / 1e6:g}"
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        yield f"all together: {sum(sizes.values()) / 1e6:,.0f} MB, a Space may have {MAX_TOTAL_BYTES / 1e6:g}"
