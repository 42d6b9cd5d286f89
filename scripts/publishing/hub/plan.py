"""Compares the staged files with the live ones by hash and lists the changes; writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub.errors import RepositoryNotFoundError

from publishing.hub.client import Hub, translate_errors
from publishing.hub.settings import NO_SETTINGS, SpaceSettings
from publishing.staging.stage import StagedSpace

# The Hub creates it with the repository. It says how large files are stored, so it must stay.
HUB_FILES = {".gitattributes"}


@dataclass(frozen=True, slots=True)
class LiveSpace:
    """The Space on the Hub: its commit, and hash and size of each file; `sha=None` if it doesn't exist."""

    sha: str | None
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    hardware: str | None = None
    sleep_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """The changes that make `live` equal to `space`; sizes in bytes."""

    repo: str
    space: StagedSpace
    live: LiveSpace
    added: dict[str, int]
    changed: dict[str, int]
    deleted: dict[str, int]
    settings: SpaceSettings = NO_SETTINGS

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.live.sha is not None and not (self.changes_files or self.settings)

    @property
    def changes_files(self) -> bool:
        """Whether a file has to change."""
        return bool(self.added or self.changed or self.deleted)

    @property
    def deletes_a_third(self) -> bool:
        """Whether more than a third of the Space's files would be deleted."""
        return len(self.deleted) * 3 > len(self.live.files) > 0

    def text(self) -> str:
        """Return the plan as text, one line per change."""
        if self.empty:
            return f"{self.repo}: nothing to do, {self.live.sha[:8] if self.live.sha else ''} is up to date."
        state = f"on {self.live.sha[:8]}" if self.live.sha else "a new Space"
        lines = [f"{self.repo}: {state}"]
        for sign, files in (("+", self.added), ("~", self.changed), ("-", self.deleted)):
            lines += [f"  {sign} {relative_path} ({_size(size)})" for relative_path, size in sorted(files.items())]
        lines += [f"  = {line}" for line in self.settings.lines]
        total = sum(self.added.values()) + sum(self.changed.values())
        lines.append(
            f"  {len(self.added)} to add, {len(self.changed)} to change, {len(self.deleted)} to delete, "
            f"{_size(total)} to send"
        )
        return "\n".join(lines)


def fetch_live(hub: Hub, repo: str) -> LiveSpace:
    """Fetch the live Space: one request for the Space, one for its files."""
    with translate_errors(f"the Space {repo}"):
        try:
            info = hub.api.space_info(repo)
        except RepositoryNotFoundError:
            return LiveSpace(None)
        sha = str(info.sha)
        files = fetch_tree(hub, repo, sha)
        runtime = info.runtime
        if runtime is None:
            return LiveSpace(sha, files)
        return LiveSpace(sha, files, runtime.requested_hardware or runtime.hardware, runtime.sleep_time)


def fetch_tree(hub: Hub, repo: str, sha: str) -> dict[str, tuple[str, int]]:
    """Fetch hash and size of each file of a commit."""
    return {
        entry.path: (entry.lfs.sha256 if entry.lfs else entry.blob_id, entry.size)
        for entry in hub.api.list_repo_tree(repo, recursive=True, revision=sha, repo_type="space")
        if hasattr(entry, "blob_id")
    }


def make_plan(repo: str, space: StagedSpace, live: LiveSpace, settings: SpaceSettings = NO_SETTINGS) -> PublishPlan:
    """Compare staged and live files; `settings` contains only those that differ."""
    sizes = {relative_path: path.stat().st_size for relative_path, path in space.files.items()}
    added = {relative_path: size for relative_path, size in sizes.items() if relative_path not in live.files}
    changed = {
        relative_path: sizes[relative_path]
        for relative_path, path in space.files.items()
        if relative_path in live.files and not _matches(path, *live.files[relative_path])
    }
    deleted = {
        relative_path: size
        for relative_path, (_, size) in live.files.items()
        if relative_path not in sizes and relative_path not in HUB_FILES
    }
    return PublishPlan(repo, space, live, added, changed, deleted, settings)


def _matches(path: Path, digest: str, size: int) -> bool:
    """Return whether a file has this hash: the git blob's SHA-1, or the SHA-256 of a large file."""
    data = path.read_bytes()
    if len(data) != size:
        return False
    if len(digest) == 64:
        return hashlib.sha256(data).hexdigest() == digest
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == digest


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
