"""What is asked of Prometheus: one table of PromQL for each kind of server. $window is what a rate is taken over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """A line of a picture. `label` may name labels of a series, such as {kind}; values are multiplied by `scale`."""

    label: str
    promql: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture over time, and `now`, the one figure that says it in short."""

    title: str
    unit: str
    now: Query
    lines: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of server: it is watched where Prometheus has the series `marker`."""

    name: str
    marker: str
    panels: tuple[Panel, ...]


def _quantile(share: float, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket[$window])))"


def _times(title: str, metric: str) -> Panel:
    """Milliseconds that half of the requests stay under, and 19 of 20."""
    p50, p95 = (Query(f"p{share * 100:.0f}", _quantile(share, metric), 1000) for share in (0.5, 0.95))
    return Panel(title, "ms", Query("p95", p95.promql, 1000), (p50, p95))


def _rate(metric: str, by: str = "") -> str:
    return f"sum by ({by}) (rate({metric}[$window]))"


def _panel(title: str, unit: str, *lines: Query, now: Query | None = None) -> Panel:
    """A picture whose first line is the figure that says it in short, unless `now` is."""
    return Panel(title, unit, now or lines[0], lines)


def _percent(label: str, some: str, of: str) -> Query:
    """The share of requests; 0 where there were requests and none of that kind, nothing where there were none."""
    return Query(label, f"(({some}) or 0 * ({of})) / (({of}) > 0)", 100)


SPACEPORT = Source(
    "Spaceport's inference server",
    "spaceport_ready",
    (
        _times("First token", "spaceport_time_to_first_token_seconds"),
        _times("Inter-token latency", "spaceport_inter_token_latency_seconds"),
        _panel(
            "Throughput", "tokens/s",
            Query("out", _rate("spaceport_output_tokens_total")),
            Query("in", _rate("spaceport_input_tokens_total")),
        ),
        _panel(
            "Requests", "requests/s",
            Query("{status}", _rate("spaceport_requests_total", "status")),
            now=Query("all", _rate("spaceport_requests_total")),
        ),
        _panel(
            "Queue", "requests",
            Query("waiting", "sum(spaceport_queue_length)"),
            Query("in flight", "sum(spaceport_requests_in_flight)"),
            Query("slots", "sum(spaceport_slots)"),
        ),
        _times("Queue wait", "spaceport_queue_wait_seconds"),
        _panel(
            "Errors", "% of requests",
            _percent("failed", _rate("spaceport_requests_total{status=~'5..'}"), _rate("spaceport_requests_total")),
            _percent("turned away", _rate("spaceport_requests_total{status='429'}"), _rate("spaceport_requests_total")),
        ),
        _panel(
            "Errors by kind", "errors/s",
            Query("{kind}", _rate("spaceport_errors_total", "kind")),
            now=Query("all", _rate("spaceport_errors_total")),
        ),
    ),
)  # fmt: skip

VLLM = Source(
    "vLLM",
    "vllm:num_requests_running",
    (
        _times("First token", "vllm:time_to_first_token_seconds"),
        _times("Inter-token latency", "vllm:inter_token_latency_seconds"),
        _panel(
            "Throughput", "tokens/s",
            Query("out", _rate("vllm:generation_tokens_total")),
            Query("in", _rate("vllm:prompt_tokens_total")),
        ),
        _panel(
            "Requests", "requests/s",
            Query("{finished_reason}", _rate("vllm:request_success_total", "finished_reason")),
            now=Query("all", _rate("vllm:request_success_total")),
        ),
        _panel(
            "Queue", "requests",
            Query("waiting", "sum(vllm:num_requests_waiting)"),
            Query("in flight", "sum(vllm:num_requests_running)"),
        ),
        _times("Queue wait", "vllm:request_queue_time_seconds"),
        _panel(
            "Errors", "% of requests",
            _percent(
                "broken off",
                _rate("vllm:request_success_total{finished_reason=~'abort|error'}"),
                _rate("vllm:request_success_total"),
            ),
        ),
    ),
)  # fmt: skip

_MEMORY = "DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)"
_EACH = "{Hostname} GPU {gpu}"
GPU = Source(
    "NVIDIA's DCGM exporter",
    "DCGM_FI_DEV_GPU_UTIL",
    (
        _panel(
            "GPU", "% busy",
            Query(_EACH, "avg by (Hostname, gpu) (DCGM_FI_DEV_GPU_UTIL)"),
            now=Query("all", "avg(DCGM_FI_DEV_GPU_UTIL)"),
        ),
        _panel(
            "GPU memory", "% used",
            Query(_EACH, f"max by (Hostname, gpu) ({_MEMORY})", 100),
            now=Query("fullest", f"max({_MEMORY})", 100),
        ),
        _panel(
            "GPU power", "W",
            Query(_EACH, "sum by (Hostname, gpu) (DCGM_FI_DEV_POWER_USAGE)"),
            now=Query("all", "sum(DCGM_FI_DEV_POWER_USAGE)"),
        ),
    ),
)  # fmt: skip

# Of these the first that is watched is shown; the GPU's figures come besides.
SERVERS = (SPACEPORT, VLLM)
