"""Prometheus metrics of the server; all units are seconds and tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from backends import Stopwatch

disable_created_metrics()  # type: ignore[no-untyped-call]  # one more line per series that no panel uses
CONTENT_TYPE = CONTENT_TYPE_LATEST
DIALECTS = ("openai", "sagemaker", "vertex", "responses", "messages", "embeddings")
FIRST_TOKEN = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
INTER_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5)
DURATION = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)


class ServerMetrics:
    """The metrics of every server, in a registry of their own so that two servers in one process stay separate."""

    def __init__(self, dialects: Sequence[str]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "spaceport_requests", "Requests by dialect and HTTP status.", ["dialect", "status"], registry=registry
        )
        self.errors = Counter("spaceport_errors", "Failed requests by kind of error.", ["kind"], registry=registry)
        for dialect in dialects:  # rate() misses the first event of a counter that starts with it
            self.requests.labels(dialect, "200")
        self.duration = self.histogram("request_duration", "From the request to the end of its answer.", DURATION)
        self.queue_wait = self.histogram("queue_wait", "From the request to its slot.", FIRST_TOKEN)
        self.ready = Gauge("spaceport_ready", "1 while the model answers, else 0.", registry=registry)
        self.model = Gauge("spaceport_model_info", "The model that the server serves.", ["model"], registry=registry)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        """Return a new histogram of seconds."""
        return Histogram(f"spaceport_{name}_seconds", text, buckets=buckets, registry=self.registry)

    def track_load(self, *, slots: int, in_flight: Callable[[], int], queue_length: Callable[[], int]) -> None:
        """Add the gauges of the server's load; each scrape calls the functions."""
        Gauge("spaceport_slots", "Maximum number of concurrent answers.", registry=self.registry).set(slots)
        for name, text, value in (
            ("requests_in_flight", "Answers in progress.", in_flight),
            ("queue_length", "Requests waiting for a slot.", queue_length),
        ):
            Gauge(f"spaceport_{name}", text, registry=self.registry).set_function(value)

    def observe(self, stopwatch: Stopwatch, queue_seconds: float) -> None:
        """Add one answer, complete or not; time in the queue counts towards the duration."""
        self.queue_wait.observe(queue_seconds)
        if stopwatch.total_seconds is not None:
            self.duration.observe(queue_seconds + stopwatch.total_seconds)

    def render(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self.registry)


class Metrics(ServerMetrics):
    """The metrics of a server for chat."""

    def __init__(self, dialects: Sequence[str] = DIALECTS) -> None:
        super().__init__(dialects)
        self.first_token = self.histogram("time_to_first_token", "From the request to its first text.", FIRST_TOKEN)
        self.inter_token = self.histogram("inter_token_latency", "Between two texts of an answer.", INTER_TOKEN)
        self.input_tokens = Counter("spaceport_input_tokens", "Tokens of prompts.", registry=self.registry)
        self.output_tokens = Counter("spaceport_output_tokens", "Tokens of answers.", registry=self.registry)

    def observe(self, stopwatch: Stopwatch, queue_seconds: float) -> None:
        """Add one answer, complete or not; time in the queue counts towards the first token and the duration."""
        super().observe(stopwatch, queue_seconds)
        if stopwatch.arrivals:
            self.first_token.observe(queue_seconds + stopwatch.arrivals[0].seconds)
        for before, after in zip(stopwatch.arrivals, stopwatch.arrivals[1:], strict=False):
            self.inter_token.observe(after.seconds - before.seconds)
        if stopwatch.usage:
            self.input_tokens.inc(stopwatch.usage.input_tokens)
            self.output_tokens.inc(stopwatch.usage.output_tokens)
