"""Errors of reading metrics from Prometheus.

MetricsError
├── NotPrometheus    the server is not Prometheus
├── NoMetrics        it is one, and has no metrics that the dashboard knows
└── TooSlow          it did not answer in time

A connection error or a refusal is a `BackendError`, as for every other server.
"""

from __future__ import annotations

from backends import SpaceportError


class MetricsError(SpaceportError):
    """The metrics can't be read."""


class NotPrometheus(MetricsError):
    """A response that Prometheus's API doesn't send."""


class NoMetrics(MetricsError):
    """No metric that the dashboard knows."""


class TooSlow(MetricsError):
    """No complete response in time."""
