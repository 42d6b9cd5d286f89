"""One repository on the Hub: what would change in it, and the commit that changes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import RepositoryNotFoundError

from backends.hub.client import REMEDIES, Hub, may_have_succeeded, translate_errors
from backends.hub.errors import HubError

ATTEMPTS = 3
Kind = Literal["dataset", "space"]


@dataclass(frozen=True, slots=True)
class Live:
    """A repository as it is: its commit, None if there is none, and hash and size of each file."""

    sha: str | None
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    private: bool = False
    sdk: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What makes a repository have `files`; `removed` are files of the run that it shouldn't have any more."""

    repo: str
    kind: Kind
    live: Live
    files: Mapping[str, bytes]
    removed: tuple[str, ...] = ()

    @property
    def added(self) -> list[str]:
        return [name for name in self.files if name not in self.live.files]

    @property
    def changed(self) -> list[str]:
        return [
            name
            for name, data in self.files.items()
            if name in self.live.files and not _is_same(data, *self.live.files[name])
        ]

    @property
    def deleted(self) -> list[str]:
        return [name for name in self.removed if name in self.live.files]

    @property
    def is_empty(self) -> bool:
        return self.live.sha is not None and not (self.added or self.changed or self.deleted)

    def text(self) -> str:
        """Return the change as text, a line per file."""
        if self.is_empty:
            return f"{self.repo}: nothing to do, {str(self.live.sha)[:8]} is up to date."
        state = f"on {self.live.sha[:8]}" if self.live.sha else f"a new public {self.name}"
        readers = " (private)" if self.live.private else ""
        lines = [f"{self.repo}: {state}{readers}"]
        for sign, names in (("+", self.added), ("~", self.changed)):
            lines += [f"  {sign} {name} ({_size(len(self.files[name]))})" for name in sorted(names)]
        return "\n".join([*lines, *(f"  - {name}" for name in self.deleted)])

    @property
    def name(self) -> str:
        """What people call such a repository."""
        return "static Space" if self.kind == "space" else "dataset"


def fetch(hub: Hub, repo: str, kind: Kind) -> Live:
    """Return a repository as it is: one request for it, one for its files."""
    with translate_errors(f"the {'Space' if kind == 'space' else kind} {repo}"):
        try:
            info = hub.api.space_info(repo) if kind == "space" else hub.api.dataset_info(repo)
        except RepositoryNotFoundError:
            return Live(None)
        entries = hub.api.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type=kind)
        files = {
            entry.path: (entry.lfs.sha256 if entry.lfs else entry.blob_id, entry.size)
            for entry in entries
            if hasattr(entry, "blob_id")
        }
    return Live(str(info.sha), files, bool(info.private), str(getattr(info, "sdk", None) or ""))


def commit(hub: Hub, change: Change, message: str) -> str:
    """Make the change in one commit and return the repository's commit; none is made if there is nothing to change.

    If somebody else changed the repository, or it isn't known whether a commit failed, it is read again first.
    """
    current = _create(hub, change)
    for attempt in range(1, ATTEMPTS + 1):
        if current.is_empty:
            return str(current.live.sha)
        try:
            return _commit(hub, current, message)
        except HubError as error:
            if attempt == ATTEMPTS or not (error.status == 412 or may_have_succeeded(error)):
                raise
            current = _read_again(hub, current)
    raise AssertionError  # the loop returns or raises


def _create(hub: Hub, change: Change) -> Change:
    if change.live.sha is not None:
        return change
    sdk = {"space_sdk": "static"} if change.kind == "space" else {}
    with translate_errors(f"the creation of {change.repo}"):
        try:
            hub.api.create_repo(change.repo, repo_type=change.kind, private=False, exist_ok=True, **sdk)
        except KeyError:  # a 409 that names no repository
            raise HubError(f"The Hub is busy with {change.repo} (409).", REMEDIES[409], status=409) from None
    return _read_again(hub, change)


def _read_again(hub: Hub, change: Change) -> Change:
    return Change(change.repo, change.kind, fetch(hub, change.repo, change.kind), change.files, change.removed)


def _commit(hub: Hub, change: Change, message: str) -> str:
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(name, change.files[name]) for name in (*change.added, *change.changed)
    ]
    operations += [CommitOperationDelete(name) for name in change.deleted]
    with translate_errors(f"the commit to {change.repo}"):
        result = hub.api.create_commit(
            change.repo, operations, commit_message=message, repo_type=change.kind, parent_commit=change.live.sha
        )
        return str(result.oid)


def _is_same(data: bytes, digest: str, size: int) -> bool:
    """Return whether a file has this content: its hash is the git blob's SHA-1, or the SHA-256 of a large file."""
    if len(data) != size:
        return False
    if len(digest) == 64:
        return hashlib.sha256(data).hexdigest() == digest
    return hashlib.sha1(b"blob %d\0" % size + data, usedforsecurity=False).hexdigest() == digest


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
