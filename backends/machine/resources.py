"""What this machine has for a model: memory, GPU memory, disk."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GB = 1e9
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """Sizes in GB: the memory of this process's machine or container, of its largest GPU, and the free disk."""

    memory_gb: float
    gpu_memory_gb: float
    disk_gb: float


def this_machine(folder: Path) -> Machine:
    """Return this machine; `folder` is where models are downloaded to."""
    return Machine(_memory() / GB, _gpu_memory() / GB, shutil.disk_usage(_existing(folder)).free / GB)


def _memory() -> float:
    limits = [float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))] if hasattr(os, "sysconf") else []
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # "max" means no limit
            limits.append(float(path.read_text()))
    return min(limits, default=0.0) or _device_memory("CPU")


def _gpu_memory() -> float:
    """Return the memory of the GPU that llama.cpp would use; 0 without one, or without the package."""
    return _device_memory("GPU")


def _device_memory(kind: str) -> float:
    try:
        import xllamacpp
    except ImportError:
        return 0.0
    devices = xllamacpp.get_device_info()
    return max((float(each["memory_total"]) for each in devices if each["type"].name.endswith(kind)), default=0.0)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
