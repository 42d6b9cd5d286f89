"""The PromQL of each panel, one table per kind of server. $window is the window of a rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """A line of a chart. `label` can contain labels of the series, such as {kind}; values are multiplied by `scale`."""

    label: str
    promql: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart over time, and `current`, the number that summarizes it."""

    title: str
    unit: str
    current: Query
    lines: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of server; Prometheus scrapes one if it has the series `marker`."""

    name: str
    marker: str
    panels: tuple[Panel, ...]


def _quantile(quantile: float, metric: str) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate({metric}_bucket[$window])))"


def _latency(title: str, metric: str) -> Panel:
    """Return a panel of the 50th and 95th percentiles, in milliseconds."""
    p50, p95 = (Query(f"p{share * 100:.0f}", _quantile(share, metric), 1000) for share in (0.5, 0.95))
    return Panel(title, "ms", Query("p95", p95.promql, 1000), (p50, p95))


def _rate(metric: str, by: str = "") -> str:
    return f"sum by ({by}) (rate({metric}[$window]))"


def _panel(title: str, unit: str, *lines: Query, current: Query | None = None) -> Panel:
    """Return a panel that its first line summarizes, unless `current` does."""
    return Panel(title, unit, current or lines[0], lines)


def _percent(label: str, part: str, total: str) -> Query:
    """Return a share in percent: 0 if there was no `part`, no value if there was no `total`."""
    return Query(label, f"(({part}) or 0 * ({total})) / (({total}) > 0)", 100)


SPACEPORT = Source(
    "Spaceport's inference server",
    "spaceport_ready",
    (
        _latency("First token", "spaceport_time_to_first_token_seconds"),
        _latency("Inter-token latency", "spaceport_inter_token_latency_seconds"),
        _panel(
            "Throughput", "tokens/s",
            Query("out", _rate("spaceport_output_tokens_total")),
            Query("in", _rate("spaceport_input_tokens_total")),
        ),
        _panel(
            "Requests", "requests/s",
            Query("{status}", _rate("spaceport_requests_total", "status")),
            current=Query("all", _rate("spaceport_requests_total")),
        ),
        _panel(
            "Queue", "requests",
            Query("waiting", "sum(spaceport_queue_length)"),
            Query("in flight", "sum(spaceport_requests_in_flight)"),
            Query("slots", "sum(spaceport_slots)"),
        ),
        _latency("Queue wait", "spaceport_queue_wait_seconds"),
        _panel(
            "Errors", "% of requests",
            _percent("failed", _rate("spaceport_requests_total{status=~'5..'}"), _rate("spaceport_requests_total")),
            _percent("rejected", _rate("spaceport_requests_total{status='429'}"), _rate("spaceport_requests_total")),
        ),
        _panel(
            "Errors by kind", "errors/s",
            Query("{kind}", _rate("spaceport_errors_total", "kind")),
            current=Query("all", _rate("spaceport_errors_total")),
        ),
    ),
)  # fmt: skip

VLLM = Source(
    "vLLM",
    "vllm:num_requests_running",
    (
        _latency("First token", "vllm:time_to_first_token_seconds"),
        _latency("Inter-token latency", "vllm:inter_token_latency_seconds"),
        _panel(
            "Throughput", "tokens/s",
            Query("out", _rate("vllm:generation_tokens_total")),
            Query("in", _rate("vllm:prompt_tokens_total")),
        ),
        _panel(
            "Requests", "requests/s",
            Query("{finished_reason}", _rate("vllm:request_success_total", "finished_reason")),
            current=Query("all", _rate("vllm:request_success_total")),
        ),
        _panel(
            "Queue", "requests",
            Query("waiting", "sum(vllm:num_requests_waiting)"),
            Query("in flight", "sum(vllm:num_requests_running)"),
        ),
        _latency("Queue wait", "vllm:request_queue_time_seconds"),
        _panel(
            "KV cache", "% used",
            Query("{model_name} {engine}", "max by (model_name, engine) (vllm:kv_cache_usage_perc)", 100),
            current=Query("fullest", "max(vllm:kv_cache_usage_perc)", 100),
        ),
        _panel(
            "Prefix cache", "% of prompt tokens",
            _percent("hit rate", _rate("vllm:prefix_cache_hits_total"), _rate("vllm:prefix_cache_queries_total")),
        ),
        _panel("Preemptions", "requests/s", Query("interrupted", _rate("vllm:num_preemptions_total"))),
        _panel(
            "Errors", "% of requests",
            _percent(
                "aborted",
                _rate("vllm:request_success_total{finished_reason=~'abort|error'}"),
                _rate("vllm:request_success_total"),
            ),
        ),
    ),
)  # fmt: skip

_MEMORY = "DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)"
_PER_GPU = "{Hostname} GPU {gpu}"
GPU = Source(
    "NVIDIA's DCGM exporter",
    "DCGM_FI_DEV_GPU_UTIL",
    (
        _panel(
            "GPU", "% busy",
            Query(_PER_GPU, "avg by (Hostname, gpu) (DCGM_FI_DEV_GPU_UTIL)"),
            current=Query("all", "avg(DCGM_FI_DEV_GPU_UTIL)"),
        ),
        _panel(
            "GPU memory", "% used",
            Query(_PER_GPU, f"max by (Hostname, gpu) ({_MEMORY})", 100),
            current=Query("highest", f"max({_MEMORY})", 100),
        ),
        _panel(
            "GPU power", "W",
            Query(_PER_GPU, "sum by (Hostname, gpu) (DCGM_FI_DEV_POWER_USAGE)"),
            current=Query("all", "sum(DCGM_FI_DEV_POWER_USAGE)"),
        ),
    ),
)  # fmt: skip

# The page shows the first of these that Prometheus scrapes, and the GPU metrics after it.
SERVERS = (SPACEPORT, VLLM)
