"""The local models, as models.toml lists them, and which of them a machine can run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from backends.machine.resources import Machine

# Besides the weights: the cache of four requests of 4,096 tokens each, which grows with the model, and the program.
_CACHE_SHARE, _PROGRAM_GB = 0.25, 0.5
# Without a GPU a model reads all its weights for every token: a larger one is slower than people read.
_READABLE_GB = 3.0
# What other programs need.
_FREE_SHARE = 0.8


class Fit(StrEnum):
    """Whether a machine can run a model."""

    ON_GPU = "on the GPU"
    IN_MEMORY = "yes"
    SLOW = "yes, slowly"
    NO_MEMORY = "needs more memory"
    NO_DISK = "needs more disk"

    @property
    def usable(self) -> bool:
        return self not in (Fit.NO_MEMORY, Fit.NO_DISK)


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model of the table: its repository of GGUF files on the Hub, and which of them; sizes in GB."""

    name: str
    repository: str
    quantization: str
    parameters: float
    file_gb: float
    context: int
    license: str
    thinks: bool = False

    @property
    def memory_gb(self) -> float:
        """The memory that it needs, roughly."""
        return self.file_gb * (1 + _CACHE_SHARE) + _PROGRAM_GB

    def fit(self, machine: Machine, *, downloaded: bool = False) -> Fit:
        """Return whether a machine can run it."""
        if not downloaded and machine.disk_gb < self.file_gb:
            return Fit.NO_DISK
        if self.memory_gb <= machine.gpu_memory_gb * _FREE_SHARE:
            return Fit.ON_GPU
        if self.memory_gb > machine.memory_gb * _FREE_SHARE:
            return Fit.NO_MEMORY
        return Fit.IN_MEMORY if self.file_gb <= _READABLE_GB else Fit.SLOW


@functools.cache
def local_models() -> Mapping[str, LocalModel]:
    """Return the table by name, the smallest model first."""
    import tomllib

    entries = tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))
    return {name: LocalModel(name, **entry) for name, entry in entries.items()}


def best_model(machine: Machine) -> LocalModel | None:
    """Return the largest model that a machine runs at a readable speed, or None if none fits.

    Without a GPU a model that thinks first isn't one: its answer would come after minutes.
    """
    fits = {model: model.fit(machine) for model in local_models().values()}
    good = [model for model, fit in fits.items() if fit == Fit.ON_GPU or (fit == Fit.IN_MEMORY and not model.thinks)]
    return max(good, key=lambda model: model.parameters, default=None)
