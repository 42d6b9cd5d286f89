"""Tries targets in order until one gives its first token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from backends.errors import BackendError, NotConfigured, Unreachable
from backends.settings import TargetSettings, read_settings
from backends.streams import closing
from backends.types import Backend, ChatRequest, Event, Health


@dataclass(frozen=True, slots=True)
class Settings:
    """`targets` are names of the same catalogue, the preferred one first."""

    targets: list[str]


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend over the targets that can be used; `NotConfigured` if none can."""
    chosen = read_settings(Settings, settings)
    if not isinstance(settings, TargetSettings) or not chosen.targets:
        raise NotConfigured("A fallback needs targets of its catalogue.", 'Write targets = ["gpu", "laptop"].')
    usable: list[tuple[str, Backend]] = []
    refused: list[NotConfigured] = []
    for name in chosen.targets:
        try:
            usable.append((name, settings.connect(name)))
        except NotConfigured as error:
            # A name that does not exist, or a circle, is a mistake in the catalogue, not a target that is away.
            if not error.message.startswith(f"Target {name}: "):
                raise
            refused.append(error)
    if not usable:
        raise NotConfigured(" ".join(str(error) for error in refused))
    return FallbackBackend(usable)


class FallbackBackend:
    """Streams from the first target that yields a first token; after that an error is an error."""

    def __init__(self, targets: list[tuple[str, Backend]]) -> None:
        self._targets = targets
        self.used: str | None = None
        self.local = any(getattr(backend, "local", False) for _, backend in targets)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer of the first target that speaks; if none does, the error names them all."""
        failures: list[tuple[str, BackendError]] = []
        for name, backend in self._targets:
            # Another target rarely serves the same model name: its own is the right one there.
            asked = request if not failures else replace(request, model=None)
            spoke = False
            stream = backend.stream(asked)
            async with closing(stream):
                try:
                    async for event in stream:
                        if not spoke:
                            spoke, self.used = True, name
                        yield event
                    return
                except BackendError as error:
                    if spoke:
                        raise
                    failures.append((name, error))
        raise _all_failed(failures)

    async def check(self) -> Health:
        """The health of the first target that is well."""
        failures: list[tuple[str, BackendError]] = []
        for name, backend in self._targets:
            try:
                health = await backend.check()
                return replace(health, detail=f"through {name}")
            except BackendError as error:
                failures.append((name, error))
        raise _all_failed(failures)

    async def aclose(self) -> None:
        for _, backend in self._targets:
            await backend.aclose()


def _all_failed(failures: list[tuple[str, BackendError]]) -> BackendError:
    if len(failures) == 1:
        return failures[0][1]
    told = " ".join(f"{name}: {error.message}" for name, error in failures)
    return Unreachable(f"No target answered. {told}", failures[0][1].remedy)
