"""What Prometheus said, as values: the figures of now, and lines over time."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.queries import Panel


@dataclass(frozen=True, slots=True)
class Span:
    """How far back is looked, in seconds: a point each `step`, rates taken over `window`."""

    seconds: int

    @property
    def step(self) -> int:
        return max(15, self.seconds // 60)

    @property
    def window(self) -> int:
        # A rate wants four scrapes to survive one that fails; Kubernetes scrapes each 30 s.
        return max(120, self.step + 30)


SPANS = {"15 min": Span(900), "1 h": Span(3600), "6 h": Span(21_600), "24 h": Span(86_400)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: seconds since 1970, and values in the panel's unit, None where there was nothing to tell."""

    label: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel with what it shows; `now` is None where the last minutes hold nothing to tell."""

    panel: Panel
    now: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All panels at a moment (seconds since 1970); `gpu` says whether a GPU is watched."""

    source: str
    seen: float
    span: Span
    panels: tuple[Drawn, ...]
    gpu: bool
