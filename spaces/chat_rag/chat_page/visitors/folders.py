"""The folders in which the data of visitors is on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from pathlib import Path

from rag.errors import RagError
from rag.library.storage import disk
from rag.library.storage.file_locks import ProcessMark, lock_folder
from rag.library.storage.store import Store

logger = logging.getLogger(__name__)
_NAME = re.compile(r"[0-9a-f]{64}")


class VisitorFolders:
    """The folders under `root`, one for each visitor; `root` is None, and there are none, if it isn't writable.

    By the `mark`, other processes with the same root see that this one runs.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root if root and disk.is_writable(root) and disk.is_writable(lock_folder(root)) else None
        self.mark = ProcessMark(self.root) if self.root else None

    def names(self) -> set[str]:
        """Return the names of the folders that are there."""
        return {folder.name for folder in self.root.iterdir() if _NAME.fullmatch(folder.name)} if self.root else set()

    def has(self, name: str) -> bool:
        """Return whether there is a folder with this name."""
        return bool(self.root and (self.root / name).is_dir())

    def store(self, name: str) -> Store | None:
        """Return the store in the folder with this name, which needn't be there yet; None without a root."""
        return Store(self.root / name) if self.root else None

    def last_seen(self, name: str) -> float:
        """Return when any process saw the visitor last, in seconds since the epoch; 0 without a folder."""
        if self.root:
            with contextlib.suppress(FileNotFoundError):
                return (self.root / name).stat().st_mtime
        return 0.0

    def tidy(self) -> None:
        """Delete what an earlier process was still writing or deleting when it ended."""
        if self.mark:
            self.mark.delete_old()
        for folder in self.root.iterdir() if self.root else ():
            try:
                if folder.name.startswith(disk.UNFINISHED):
                    disk.delete(folder)
                elif _NAME.fullmatch(folder.name):
                    Store(folder).delete_unfinished()
            except (OSError, RagError):
                logger.exception("An unfinished file of an earlier process could not be deleted.")

    def close(self) -> None:
        """End the mark of this process."""
        if self.mark:
            self.mark.close()


def folder_name(key: str) -> str:
    """Return the name of a visitor's folder: a hash of the key, so that the disk doesn't reveal keys."""
    return hashlib.sha256(key.encode()).hexdigest()
