"""Tries targets in order until one yields its first token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backends.errors import BackendError, NotConfigured, Unreachable
from backends.settings import TargetSettings, read_settings
from backends.streams import closing
from backends.types import Backend, ChatRequest, Event, Health


@dataclass(frozen=True, slots=True)
class Settings:
    """`targets` are names in the same catalogue, in order of preference."""

    targets: list[str]


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend over the targets that can be used; `NotConfigured` if none can."""
    names = read_settings(Settings, settings).targets
    if not isinstance(settings, TargetSettings) or not names:
        raise NotConfigured("A fallback needs targets of its catalogue.", 'Write targets = ["gpu", "laptop"].')
    return FallbackBackend(connect_targets(settings, names))


def connect_targets(settings: TargetSettings, names: Sequence[str]) -> list[tuple[str, Backend]]:
    """The targets that can be used, with their names; `NotConfigured` if none can."""
    usable: list[tuple[str, Backend]] = []
    errors: list[NotConfigured] = []
    for name in names:
        try:
            usable.append((name, settings.connect(name)))
        except NotConfigured as error:
            # An unknown name or a loop is a mistake in the catalogue, not an unavailable target.
            if error.target != name:
                raise
            errors.append(error)
    if not usable:
        reasons = " ".join(f"{error.target}: {error.reason} {error.remedy}" for error in errors)
        raise NotConfigured("None of its targets can be used.", reasons)
    return usable


class FallbackBackend:
    """Streams from the first target that yields a token; an error after that token is not retried."""

    def __init__(self, targets: list[tuple[str, Backend]]) -> None:
        self._targets = targets
        self.last_target: str | None = None
        self.local = any(backend.local for _, backend in targets)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer of the first target that has one; if none has, the error names them all."""
        failures: list[tuple[str, BackendError]] = []
        for name, backend in self._targets:
            # The next target rarely serves the same model name, so it uses its own default.
            stream = backend.stream(replace(request, model=None) if failures else request)
            has_output = False
            async with closing(stream):
                try:
                    async for event in stream:
                        if not has_output:
                            has_output, self.last_target = True, name
                        yield event
                    return
                except BackendError as error:
                    if has_output:
                        raise
                    failures.append((name, error))
        raise combined_error(failures)

    async def check(self) -> Health:
        """The health of the first target that is healthy."""
        failures: list[tuple[str, BackendError]] = []
        for name, backend in self._targets:
            try:
                health = await backend.check()
                return replace(health, detail=f"through {name}")
            except BackendError as error:
                failures.append((name, error))
        raise combined_error(failures)

    async def aclose(self) -> None:
        for _, backend in self._targets:
            await backend.aclose()


def combined_error(failures: list[tuple[str, BackendError]]) -> BackendError:
    """One error for the targets that failed, by their names."""
    if len(failures) == 1:
        return failures[0][1]
    messages = " ".join(f"{name}: {error.message}" for name, error in failures)
    return Unreachable(f"No target answered. {messages}", failures[0][1].remedy)
