"""Load of the measuring client while it measured a target."""

from __future__ import annotations

from dataclasses import dataclass

from compare.analyse.metrics.distribution import distribution
from compare.analyse.metrics.metrics import compute_metrics
from compare.runs.records import Run

# A client whose event loop lags by more than this share of the gaps that it measures, measures itself.
MAX_LAG_SHARE = 0.05
# Any event loop has less lag than this, in milliseconds.
MIN_LAG_MS = 1.0


@dataclass(frozen=True, slots=True)
class ClientLoad:
    """Event loop lag, CPU share (including models in this process), and connections of the client."""

    lag_p50_ms: float | None
    lag_p99_ms: float | None
    cpu_share: float | None
    new_connections: int
    known_connections: int
    connect_ms: float | None


def client_load(run: Run, target: str, load: str | None = None) -> ClientLoad:
    """Return the client's load while it measured `target`, at one load or over all."""
    blocks = run.target_blocks(target, load)
    lags = distribution(lag for block in blocks for lag in block.lags)
    wall = sum(block.seconds for block in blocks)
    records = run.measured(target, load)
    connections = [record.new_connection for record in records if record.new_connection is not None]
    connect = distribution(
        mark.seconds + record.sent - record.intended
        for record in records
        for mark in record.marks
        if mark.what == "connected"
    )
    return ClientLoad(
        lags.p50,
        lags.p99,
        sum(block.cpu_seconds for block in blocks) / wall if wall else None,
        sum(connections),
        len(connections),
        connect.p50,
    )


def is_overloaded(run: Run, target: str, load: str) -> bool:
    """Return whether the client's own lag distorts the metrics of `target` at `load`."""
    lag, gap = client_load(run, target, load).lag_p99_ms, compute_metrics(run, target, load).itl_ms.mean
    return lag is not None and gap is not None and lag > max(MIN_LAG_MS, MAX_LAG_SHARE * gap)
