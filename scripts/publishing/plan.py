"""What publishing would change: the staged tree against the live one, by hash; nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub.errors import RepositoryNotFoundError

from publishing.hub import Hub, translated
from publishing.settings import NONE, Settings
from publishing.stage import Staged

# The Hub makes it with the repository, and it says how large files are stored: it is not ours to delete.
KEPT = {".gitattributes"}


@dataclass(frozen=True, slots=True)
class Live:
    """The Space as it is: its commit, and hash and size of each file; `sha=None` if there is no Space."""

    sha: str | None
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    hardware: str | None = None
    sleep_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that make `live` like the staged tree; sizes in bytes."""

    repo: str
    staged: Staged
    live: Live
    added: dict[str, int]
    changed: dict[str, int]
    deleted: dict[str, int]
    settings: Settings = NONE

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.live.sha is not None and not (self.files or self.settings)

    @property
    def files(self) -> bool:
        """Whether a file has to change."""
        return bool(self.added or self.changed or self.deleted)

    @property
    def drastic(self) -> bool:
        """Whether more than a third of the Space would go."""
        return len(self.deleted) * 3 > len(self.live.files) > 0

    def text(self) -> str:
        """The plan for a person, a line a change."""
        if self.empty:
            return f"{self.repo}: nothing to do, {self.live.sha[:8] if self.live.sha else ''} is the staged tree."
        state = f"on {self.live.sha[:8]}" if self.live.sha else "a new Space"
        lines = [f"{self.repo}: {state}"]
        for sign, files in (("+", self.added), ("~", self.changed), ("-", self.deleted)):
            lines += [f"  {sign} {place} ({_size(size)})" for place, size in sorted(files.items())]
        lines += [f"  = {line}" for line in self.settings.lines]
        total = sum(self.added.values()) + sum(self.changed.values())
        lines.append(
            f"  {len(self.added)} to add, {len(self.changed)} to change, {len(self.deleted)} to delete, "
            f"{_size(total)} to send"
        )
        return "\n".join(lines)


def look(hub: Hub, repo: str) -> Live:
    """The live tree: one question about the Space, one about its files."""
    with translated(f"the Space {repo}"):
        try:
            info = hub.api.space_info(repo)
        except RepositoryNotFoundError:
            return Live(None)
        sha = str(info.sha)
        files = tree(hub, repo, sha)
        runtime = info.runtime
        if runtime is None:
            return Live(sha, files)
        return Live(sha, files, runtime.requested_hardware or runtime.hardware, runtime.sleep_time)


def tree(hub: Hub, repo: str, sha: str) -> dict[str, tuple[str, int]]:
    """Hash and size of each file of a commit."""
    return {
        entry.path: (entry.lfs.sha256 if entry.lfs else entry.blob_id, entry.size)
        for entry in hub.api.list_repo_tree(repo, recursive=True, revision=sha, repo_type="space")
        if hasattr(entry, "blob_id")
    }


def plan(repo: str, staged: Staged, live: Live, settings: Settings = NONE) -> Plan:
    """What has to change; `settings` are those that differ."""
    sizes = {place: path.stat().st_size for place, path in staged.files.items()}
    added = {place: size for place, size in sizes.items() if place not in live.files}
    changed = {
        place: sizes[place]
        for place, path in staged.files.items()
        if place in live.files and not _same(path, *live.files[place])
    }
    gone = {place: size for place, (_, size) in live.files.items() if place not in sizes and place not in KEPT}
    return Plan(repo, staged, live, added, changed, gone, settings)


def _same(path: Path, known: str, size: int) -> bool:
    """Whether a file is the one of a hash: the git blob's SHA-1, or the SHA-256 of a large file."""
    data = path.read_bytes()
    if len(data) != size:
        return False
    if len(known) == 64:
        return hashlib.sha256(data).hexdigest() == known
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == known


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
