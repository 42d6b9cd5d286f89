"""Service objectives: latency limits that a request must meet to count towards goodput."""

from __future__ import annotations

from dataclasses import dataclass

from compare.analyse.metrics.definitions import Timing


@dataclass(frozen=True, slots=True)
class Objective:
    """Limits in milliseconds; None sets no limit. A request without token counts misses `tpot_ms`."""

    name: str
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    e2e_ms: float | None = None

    def is_met(self, timing: Timing) -> bool:
        """Return whether a successful request meets every limit."""
        limits = (
            (self.ttft_ms, timing.first_token),
            (self.tpot_ms, timing.per_output_token),
            (self.e2e_ms, timing.end_to_end),
        )
        return all(limit is None or (value is not None and value * 1000 <= limit) for limit, value in limits)


# MLPerf Inference applies its limits to a run's p99; here every request must meet them.
OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("default", 1000, 100),
        Objective("mlperf llama2-70b", 2000, 200),
        Objective("mlperf llama2-70b interactive", 450, 40),
        Objective("mlperf llama3.1-8b", 2000, 100),
        Objective("mlperf llama3.1-8b interactive", 500, 30),
    )
}
