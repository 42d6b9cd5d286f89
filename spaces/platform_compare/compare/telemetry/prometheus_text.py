"""Asks an exporter for its metrics in Prometheus's text format: DCGM's about GPUs, vLLM's about itself."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

import httpx2

from backends.settings import require_package
from backends.stopwatch import wall_clock
from compare.errors import PlanError
from compare.runs.records import GpuRecord, ServerRecord
from compare.telemetry.nvidia_smi import MEBIBYTE

SECONDS = 2.0
MAX_BYTES = 5_000_000
UTILIZATION, USED, FREE, POWER = (
    "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_POWER_USAGE",
)  # fmt: skip
HITS, QUERIES = "vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"
WAITING, RUNNING, KV_CACHE = "vllm:num_requests_waiting", "vllm:num_requests_running", "vllm:kv_cache_usage_perc"
Sample = tuple[str, Mapping[str, str], float]  # name, labels, value


class Exporter:
    """An address that serves metrics of the GPUs (DCGM) or of the server (vLLM) of a target."""

    def __init__(self, url: str, kind: str, target: str) -> None:
        self._url = url
        self._kind = kind
        self._target = target
        self._client = httpx2.Client(timeout=SECONDS, follow_redirects=False)

    def check(self) -> None:
        """Raise `PlanError` if it can't be asked, or if it says nothing about a GPU or a server."""
        require_package("prometheus_client", extra="inference")
        remedy = "Check the address: it ends in /metrics as a rule."
        try:
            records = list(self.sample())
        except (OSError, ValueError) as error:
            raise PlanError(f"The metrics of {self._kind} can't be read ({error}).", remedy) from error
        if not records:
            raise PlanError(f"The address for {self._kind} has no metrics of it.", remedy)

    def sample(self) -> Iterator[GpuRecord | ServerRecord]:
        """Yield what the metrics say now."""
        at, samples = wall_clock(), list(parse_metrics(self._fetch()))
        if self._kind == "DCGM":
            yield from gpu_records(samples, at, self._target)
        elif record := server_record(samples, at, self._target):
            yield record

    def close(self) -> None:
        self._client.close()

    def _fetch(self) -> str:
        content = bytearray()
        try:
            with self._client.stream("GET", self._url) as response:
                if response.status_code != 200:
                    raise OSError(f"status {response.status_code}")
                for part in response.iter_bytes():
                    content += part
                    if len(content) > MAX_BYTES:
                        raise ValueError(f"more than {MAX_BYTES / 1e6:g} MB")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise OSError(type(error).__name__) from error
        return content.decode("utf-8", "replace")


def parse_metrics(text: str) -> Iterator[Sample]:
    """Yield the finite values of a text; raise `ValueError` if it isn't in Prometheus's format."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if math.isfinite(sample.value):
                    yield sample.name, sample.labels, float(sample.value)
    except (IndexError, KeyError) as error:  # what its parser raises for other texts, besides ValueError
        raise ValueError("it isn't in Prometheus's format") from error


def gpu_records(samples: list[Sample], at: float, target: str) -> Iterator[GpuRecord]:
    """Yield a record for each GPU of a DCGM exporter."""
    gpus: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for name, labels, value in samples:
        if name.startswith("DCGM_FI_DEV_") and value >= 0:
            # Each part of a divided GPU (MIG) has a series: memory adds up, but each has the power of the whole.
            values = gpus[labels.get("UUID") or labels.get("gpu", ""), labels.get("modelName", "")]
            earlier = values.get(name, 0.0)
            values[name] = earlier + value if name in (USED, FREE) else max(earlier, value)
    for (uuid, name), values in gpus.items():
        used, free, percent = values.get(USED), values.get(FREE), values.get(UTILIZATION)
        total = None if used is None or free is None else (used + free) * MEBIBYTE
        yield GpuRecord(
            at, uuid, name, None if percent is None else min(1.0, percent / 100),
            None if used is None else used * MEBIBYTE, total, values.get(POWER), target,
        )  # fmt: skip


def server_record(samples: list[Sample], at: float, target: str) -> ServerRecord | None:
    """Return what vLLM says, added up over its engines; None if it says nothing."""
    sums: dict[str, float] = {}
    for name, _, value in samples:
        if name in (HITS, QUERIES, WAITING, RUNNING) and value >= 0:
            sums[name] = sums.get(name, 0.0) + value
    fullest = max((value for name, _, value in samples if name == KV_CACHE and value >= 0), default=None)
    if not sums and fullest is None:
        return None
    return ServerRecord(at, target, sums.get(HITS), sums.get(QUERIES), sums.get(WAITING), sums.get(RUNNING), fullest)
