"""The gateway's metrics besides those of the inference server: money, outcomes by target, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backends.serving.redis.connection import SharedRedis
from gateway.billing import money
from gateway.ledger.ledger import Ledger
from gateway.ledger.row import LedgerRow
from gateway.routing.router import Router
from inference.metrics import Metrics

SOURCES = ("hit", "miss", "shared", "none")
DIALECTS = ("openai", "responses", "messages", "embeddings", "classify", "images")


class GatewayMetrics(Metrics):
    """No metric has an owner or a key: who may scrape must not learn who spends what."""

    def __init__(self) -> None:
        super().__init__(DIALECTS)
        registry = self.registry

        def counter(name: str, text: str, labels: list[str]) -> Counter:
            return Counter(f"spaceport_{name}", text, labels, registry=registry)

        self.target_requests = counter("target_requests", "Requests by target and outcome.", ["target", "outcome"])
        self.cost = counter("cost_usd", "Cost of answers in USD by target, where it is known.", ["target"])
        self.answers = counter("answers", "Answers by source: hit, miss, shared, or none without cache.", ["source"])
        self.limited = counter("limit_refusals", "Requests refused by a limit of their key, by kind.", ["kind"])
        for source in SOURCES:  # rate() misses the first event of a counter that starts with it
            self.answers.labels(source)
        for kind in ("requests", "tokens"):
            self.limited.labels(kind)
        self.unpriced = counter("unpriced_requests", "Answers whose cost is unknown, by target.", ["target"])

    def track_ledger(self, ledger: Ledger) -> None:
        """Add the gauges of the ledger; each scrape reads them."""
        for name, text, value in (
            ("ledger_waiting_bytes", "Rows of the ledger that wait on disk.", lambda: ledger.journal.waiting_bytes),
            ("ledger_limit_bytes", "How much of the ledger may wait on disk.", lambda: ledger.journal.limit_bytes),
            ("ledger_connected", "1 while the ledger's database answers, else 0.", lambda: ledger.is_connected),
        ):
            Gauge(f"spaceport_{name}", text, registry=self.registry).set_function(value)

    def track_redis(self, redis: SharedRedis) -> None:
        """Add the gauge of the shared Redis."""
        text = "1 while limits and cache are shared through Redis, 0 while this gateway goes on alone."
        Gauge("spaceport_redis_up", text, registry=self.registry).set_function(lambda: redis.is_up)

    def track_targets(self, router: Router) -> None:
        """Add the gauges of the targets of routes: which are left out, and how soon their first tokens come."""
        self.registry.register(_TargetCollector(router))

    def count(self, row: LedgerRow, source: str) -> None:
        """Add one request, and where its answer came from; "" for one that got none."""
        if source and row.outcome == "ok":
            self.answers.labels(source).inc()
        self.target_requests.labels(row.target, row.outcome).inc()
        if row.cost is None:
            self.unpriced.labels(row.target).inc()
        elif row.cost:
            self.cost.labels(row.target).inc(row.cost / money.NANO)


class _TargetCollector(Collector):
    """Reads at each scrape what is known of the targets."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def collect(self) -> Iterator[Metric]:
        text = "1 while a target that failed gets no requests of its routes, else 0."
        left_out = GaugeMetricFamily("spaceport_target_left_out", text, labels=["target"])
        names = self._router.left_out()
        for target in self._router.targets():
            left_out.add_metric([target], target in names)
        yield left_out
        text = "The 95th percentile of the recent first tokens of a target."
        first_tokens = GaugeMetricFamily("spaceport_target_first_token_p95_seconds", text, labels=["target"])
        for target in self._router.targets():
            if (seconds := self._router.states.first_token_p95(target)) is not None:
                first_tokens.add_metric([target], seconds)
        yield first_tokens
