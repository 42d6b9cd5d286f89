"""What a page holds: its memory, and its files in the folders of uploads, of temporary files and of visitors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Folders:
    """The folders of one page; `environment` makes it use them."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        names = {"SPACEPORT_DATA": "data", "GRADIO_TEMP_DIR": "uploads", "TMPDIR": "temporary"}
        for name in names.values():
            (self.root / name).mkdir(exist_ok=True)
        return {variable: str(self.root / name) for variable, name in names.items()}

    def files_of_nobody(self) -> list[str]:
        """Return all files but those in visitors' folders: what nobody uses, or is still being used."""
        files = [path for name in ("uploads", "temporary") for path in (self.root / name).rglob("*")]
        files += [path for path in (self.root / "data").rglob("*") if UNFINISHED in str(path)]
        return [str(path.relative_to(self.root)) for path in files if path.is_file()]


@dataclass(frozen=True)
class Memory:
    """MB of a process, and of the processes that it has started."""

    page: float
    readers: float

    as_json = asdict

    @classmethod
    def of(cls, pid: int) -> Memory:
        page = psutil.Process(pid)
        return cls(_megabytes(page), sum(map(_megabytes, page.children(recursive=True))))


def _megabytes(process: psutil.Process) -> float:
    """The private and shared memory of a process, each shared page divided among those who share it."""
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0
