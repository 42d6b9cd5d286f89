"""What can go wrong between the dashboard and a Prometheus.

MetricsError
├── NotPrometheus    what answers is no Prometheus
├── NoFigures        it is one, and watches nothing that is known here
└── TooSlow          it takes too long

That nothing answers, or refuses, is a `BackendError` like anywhere else.
"""

from __future__ import annotations

from backends import SpaceportError


class MetricsError(SpaceportError):
    """Something about the figures, not about a model."""


class NotPrometheus(MetricsError):
    """An answer that is not of Prometheus's API."""


class NoFigures(MetricsError):
    """No figure that the dashboard knows."""


class TooSlow(MetricsError):
    """No whole answer in time."""
