"""Metrics as values: the current number and the lines over time of each panel."""

from __future__ import annotations

from dataclasses import dataclass

from live_metrics.queries import Panel


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A span that ends now, in seconds: one point per `step`, rates over `window`."""

    seconds: int

    @property
    def step(self) -> int:
        return max(15, self.seconds // 60)

    @property
    def window(self) -> int:
        # A rate needs four scrapes to survive a failed one; Kubernetes scrapes every 30 s.
        return max(120, self.step + 30)


TIME_SPANS = {"15 min": TimeSpan(900), "1 h": TimeSpan(3600), "6 h": TimeSpan(21_600), "24 h": TimeSpan(86_400)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: times in seconds since 1970, and values in the panel's unit, None where there is no value."""

    label: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PanelReading:
    """A panel's values; `current` is None if the last minutes have no value."""

    panel: Panel
    current: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All panels at the time `read_at` (seconds since 1970); `gpu` is whether GPU metrics are scraped."""

    source: str
    read_at: float
    span: TimeSpan
    panels: tuple[PanelReading, ...]
    gpu: bool
