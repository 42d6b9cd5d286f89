"""Compares the staged files with the live ones by hash and lists the changes; writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from huggingface_hub import Volume
from huggingface_hub.errors import RepositoryNotFoundError

from backends.hub.client import Hub, translate_errors
from publishing.hub.settings import NO_SETTINGS, SpaceSettings
from publishing.staging.stage import StagedSpace

# The Hub creates it with the repository. It says how large files are stored, so it must stay.
HUB_FILES = {".gitattributes"}
MOUNT = "/library"  # the folder of a library that isn't in the Space's own repository
LISTED_FILES = 5  # of a new folder; with more of them, the plan has their number
LIBRARY_SUFFIX = "-library"  # of the name of its dataset, after that of the Space


@dataclass(frozen=True, slots=True)
class LiveSpace:
    """The Space, or the dataset, on the Hub: its commit, hash and size of each file; `sha=None` if it doesn't exist."""

    sha: str | None
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    hardware: str | None = None
    sleep_seconds: int | None = None
    private: bool = False
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """The changes that make `live` equal to `space`; sizes in bytes.

    `library` is the plan of the dataset that the Space mounts, if its library isn't among its own files.
    """

    repo: str
    space: StagedSpace
    live: LiveSpace
    added: dict[str, int]
    changed: dict[str, int]
    deleted: dict[str, int]
    settings: SpaceSettings = NO_SETTINGS
    repo_type: str = "space"
    library: PublishPlan | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.live.sha is not None and not (self.changes_files or self.settings or self.changes_library)

    @property
    def changes_library(self) -> bool:
        """Whether another library, or none, has to be mounted."""
        mounted = next((each for each in self.live.volumes if each.mount_path == MOUNT), None)
        if self.library is None:
            return mounted is not None and mounted.source == f"{self.repo}{LIBRARY_SUFFIX}"
        wanted = ("dataset", self.library.repo, self.library.live.sha)
        return not self.library.empty or mounted is None or (mounted.type, mounted.source, mounted.revision) != wanted

    @property
    def changes_files(self) -> bool:
        """Whether a file has to change."""
        return bool(self.added or self.changed or self.deleted)

    @property
    def deletes_a_third(self) -> bool:
        """Whether more than a third of the Space's files would be deleted."""
        return len(self.deleted) * 3 > len(self.live.files) > 0

    def text(self) -> str:
        """Return the plan as text, one line per change; a large folder that the Space doesn't have yet is one line."""
        if self.empty:
            return f"{self.repo}: nothing to do, {self.live.sha[:8] if self.live.sha else ''} is up to date."
        kind = "Space" if self.repo_type == "space" else "private dataset"
        state = f"on {self.live.sha[:8]}" if self.live.sha else f"a new {kind}"
        lines = [*self._library_lines(), f"{self.repo}: {state}"]
        lines += self._added_lines()
        for sign, files in (("~", self.changed), ("-", self.deleted)):
            lines += [f"  {sign} {relative_path} ({_size(size)})" for relative_path, size in sorted(files.items())]
        lines += [f"  = {line}" for line in self.settings.lines]
        total = sum(self.added.values()) + sum(self.changed.values())
        lines.append(
            f"  {len(self.added)} to add, {len(self.changed)} to change, {len(self.deleted)} to delete, "
            f"{_size(total)} to send"
        )
        return "\n".join(lines)

    def _added_lines(self) -> list[str]:
        live_folders = set(map(_top_folder, self.live.files))
        lines = []
        for folder, files in groupby(sorted(self.added.items()), lambda file: _top_folder(file[0])):
            sizes = dict(files)
            if folder and folder not in live_folders and len(sizes) > LISTED_FILES:
                lines.append(f"  + {folder}/ ({len(sizes)} files, {_size(sum(sizes.values()))})")
            else:
                lines += [f"  + {path} ({_size(size)})" for path, size in sizes.items()]
        return lines

    def _library_lines(self) -> list[str]:
        if not self.changes_library:
            return []
        if self.library is None:
            return [f"{self.repo}: its library is no longer mounted; the dataset {self.repo}{LIBRARY_SUFFIX} stays"]
        is_public = self.library.live.sha is not None and not self.library.live.private
        readers = "everybody can list and download it" if is_public else "private, so that only the page reads it"
        return [self.library.text(), f"  the Space mounts it at {MOUNT}; {readers}"]


def library_volume(repo: str, revision: str | None) -> Volume:
    """Return what mounts one commit of a library's dataset."""
    return Volume(type="dataset", source=repo, mount_path=MOUNT, revision=revision, read_only=True)


def fetch_live(hub: Hub, repo: str, repo_type: str = "space") -> LiveSpace:
    """Fetch the live Space or dataset: one request for it, one for its files."""
    with translate_errors(f"the {'Space' if repo_type == 'space' else repo_type} {repo}"):
        try:
            info = hub.api.space_info(repo) if repo_type == "space" else hub.api.dataset_info(repo)
        except RepositoryNotFoundError:
            return LiveSpace(None)
        live = LiveSpace(str(info.sha), fetch_tree(hub, repo, str(info.sha), repo_type), private=bool(info.private))
        runtime = getattr(info, "runtime", None)
        if runtime is None:
            return live
        hardware = runtime.requested_hardware or runtime.hardware
        volumes = tuple(runtime.volumes or ())
        return replace(live, hardware=hardware, sleep_seconds=runtime.sleep_time, volumes=volumes)


def fetch_tree(hub: Hub, repo: str, sha: str, repo_type: str = "space") -> dict[str, tuple[str, int]]:
    """Fetch hash and size of each file of a commit."""
    return {
        entry.path: (entry.lfs.sha256 if entry.lfs else entry.blob_id, entry.size)
        for entry in hub.api.list_repo_tree(repo, recursive=True, revision=sha, repo_type=repo_type)
        if hasattr(entry, "blob_id")
    }


def make_plan(
    repo: str, space: StagedSpace, live: LiveSpace, settings: SpaceSettings = NO_SETTINGS, *,
    repo_type: str = "space", library: PublishPlan | None = None,
) -> PublishPlan:  # fmt: skip
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
    return PublishPlan(repo, space, live, added, changed, deleted, settings, repo_type, library)


def _matches(path: Path, digest: str, size: int) -> bool:
    """Return whether a file has this hash: the git blob's SHA-1, or the SHA-256 of a large file."""
    if path.stat().st_size != size:
        return False
    start = b"" if len(digest) == 64 else b"blob %d\0" % size
    hasher = hashlib.sha256() if len(digest) == 64 else hashlib.sha1(start, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest() == digest


def _top_folder(path: str) -> str:
    folder, slash, _ = path.partition("/")
    return folder if slash else ""


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
