"""What counts as good service: limits that one request must meet all of to count towards goodput."""

from __future__ import annotations

from dataclasses import dataclass

from compare.analyse.definitions import Timing


@dataclass(frozen=True, slots=True)
class Objective:
    """Limits in milliseconds; None sets no limit. A request whose tokens were not reported misses `tpot_ms`."""

    name: str
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    e2e_ms: float | None = None

    def met(self, timing: Timing) -> bool:
        """Whether a request that ended well met every limit."""
        limits = (
            (self.ttft_ms, timing.first_token),
            (self.tpot_ms, timing.per_output_token),
            (self.e2e_ms, timing.end_to_end),
        )
        return all(limit is None or (value is not None and value * 1000 <= limit) for limit, value in limits)

    @property
    def description(self) -> str:
        named = {"first token": self.ttft_ms, "each further token": self.tpot_ms, "the whole answer": self.e2e_ms}
        return ", ".join(f"{what} within {limit:g} ms" for what, limit in named.items() if limit is not None)


# MLPerf Inference's limits are for p99 of a run; here each request is held to them.
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
