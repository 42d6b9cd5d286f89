"""What Prometheus is told of the server; seconds and tokens throughout."""

from __future__ import annotations

from collections.abc import Callable

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

disable_created_metrics()  # type: ignore[no-untyped-call]  # a line more for each figure, which nobody draws
CONTENT_TYPE = CONTENT_TYPE_LATEST
DIALECTS = ("openai", "sagemaker", "vertex")
FIRST_TOKEN = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
INTER_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5)
DURATION = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)


class Metrics:
    """A registry of its own, so that two servers in one process do not share their figures."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"spaceport_{name}_seconds", text, buckets=buckets, registry=registry)

        self.requests = Counter(
            "spaceport_requests", "Requests by dialect and HTTP status.", ["dialect", "status"], registry=registry
        )
        self.errors = Counter(
            "spaceport_errors", "Requests that failed, by what went wrong.", ["kind"], registry=registry
        )
        for dialect in DIALECTS:  # a counter that begins with its first event hides that one from rate()
            self.requests.labels(dialect, "200")
        self.first_token = histogram("time_to_first_token", "From the request to its first text.", FIRST_TOKEN)
        self.inter_token = histogram("inter_token_latency", "Between two texts of an answer.", INTER_TOKEN)
        self.duration = histogram("request_duration", "From the request to the end of its answer.", DURATION)
        self.queue_wait = histogram("queue_wait", "From the request to its slot.", FIRST_TOKEN)
        self.input_tokens = Counter("spaceport_input_tokens", "Tokens of prompts.", registry=registry)
        self.output_tokens = Counter("spaceport_output_tokens", "Tokens of answers.", registry=registry)
        self.ready = Gauge("spaceport_ready", "1 while the model answers, else 0.", registry=registry)
        self.model = Gauge("spaceport_model_info", "The model that is served.", ["model"], registry=registry)

    def watch(self, *, slots: int, in_flight: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Show how full the server is; the functions are asked at each scrape."""
        Gauge("spaceport_slots", "Answers that are made at once.", registry=self.registry).set(slots)
        for name, text, value in (
            ("requests_in_flight", "Answers that are being made.", in_flight),
            ("queue_length", "Requests that wait for a slot.", waiting),
        ):
            Gauge(f"spaceport_{name}", text, registry=self.registry).set_function(value)

    def count(self, watch: Stopwatch, waited: float) -> None:
        """Add one answer, whole or broken off; what it `waited` for its slot belongs to its first token."""
        self.queue_wait.observe(waited)
        if watch.arrivals:
            self.first_token.observe(waited + watch.arrivals[0].seconds)
        for before, after in zip(watch.arrivals, watch.arrivals[1:], strict=False):
            self.inter_token.observe(after.seconds - before.seconds)
        if watch.total_seconds is not None:
            self.duration.observe(waited + watch.total_seconds)
        if watch.usage:
            self.input_tokens.inc(watch.usage.input_tokens)
            self.output_tokens.inc(watch.usage.output_tokens)

    def render(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)
