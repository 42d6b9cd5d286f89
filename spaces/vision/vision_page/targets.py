"""The targets of the catalogue for one task, and the object that does the work of each."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from backends import Catalog, NotConfigured, Target

T = TypeVar("T", bound=Any)
MAX_TARGETS = 2


class TaskTargets(Generic[T]):
    """Targets for all visitors of one process; `method` is what each of them has. Creating it loads no model."""

    def __init__(self, catalog: Catalog, task: str, method: str) -> None:
        self.catalog = catalog
        self.names = [name for name in catalog.all_names if catalog.task(name) == task]
        self._method = method
        self._connected: dict[str, T] = {}

    def targets(self) -> list[Target]:
        """The targets, with the reason for each that can't be used."""
        return [self.catalog.target(name) for name in self.names]

    def selection(self, first: str | None = None) -> list[str]:
        """Return what a page has selected at first: one target, and a server, which may be much faster."""
        usable = [target.name for target in self.targets() if not target.unavailable]
        names = list(dict.fromkeys([*filter(None, [first]), *usable]))
        return [name for place, name in enumerate(names) if place == 0 or not self.connect(name).local][:MAX_TARGETS]

    def connect(self, name: str) -> T:
        """Return a target; visitors share those that are in this process. `NotConfigured` if it isn't one of these."""
        if name not in self.names:
            raise NotConfigured(f"There is no target {name[:80]!r} here.", f"There are: {', '.join(self.names)}.")
        if name not in self._connected:
            target = self.catalog.connect(name)
            if not hasattr(target, self._method):
                raise NotConfigured("Its kind does not do its task.", "Fix its kind.", target=name)
            self._connected[name] = cast(T, target)
        return self._connected[name]
