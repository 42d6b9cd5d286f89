"""Finds the images that the project's files name, as `name:tag` or `name:tag@sha256:…`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = (
    "containers/*/Dockerfile*",
    "containers/compose.yaml",
    "containers/compose/*.yaml",
    "containers/models.toml",
    "k8s/**/*.yaml",
    "spaces/*/Dockerfile",
    ".github/workflows/*.yml",
)
# The project's own images don't match: in manifests they have no tag, in compose.yaml a variable before their name.
REFERENCE = re.compile(
    r"^(?P<key>FROM |[ -]*(?:image|container|TRIVY): |image = \")"
    r"(?P<image>(?:[\w.-]+:\d+/)?[\w./-]+:\w[\w.-]*)(?:@(?P<digest>sha256:[0-9a-f]{64}))?(?=[\s\"]|$)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image that a file names by its tag, and its digest if the file has one."""

    file: Path
    image: str
    digest: str | None

    def __str__(self) -> str:
        return f"{self.image}@{self.digest}" if self.digest else self.image


def files_with_images(root: Path) -> list[Path]:
    """Return the files below `root` that may name images."""
    return sorted({path for pattern in FILES for path in root.glob(pattern)})


def find_references(path: Path) -> Iterator[Reference]:
    """Yield the images that a file names."""
    for match in REFERENCE.finditer(path.read_text()):
        yield Reference(path, match["image"], match["digest"])


def with_digests(text: str, digests: Mapping[str, str]) -> str:
    """Return a file's text with the digest of each image behind its tag; without one in `digests`, by tag only."""

    def reference(match: re.Match[str]) -> str:
        digest = digests.get(match["image"])
        return f"{match['key']}{match['image']}" + (f"@{digest}" if digest else "")

    return REFERENCE.sub(reference, text)
