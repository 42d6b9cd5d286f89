"""The gateway's metrics besides those of the inference server: money, outcomes by target, and the ledger."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from gateway import money
from gateway.ledger.ledger import Ledger
from gateway.ledger.row import LedgerRow
from inference.metrics import Metrics

DIALECTS = ("openai", "responses", "messages", "embeddings")


class GatewayMetrics(Metrics):
    """No metric has an owner or a key: who may scrape must not learn who spends what."""

    def __init__(self) -> None:
        super().__init__(DIALECTS)
        registry = self.registry

        def counter(name: str, text: str, labels: list[str]) -> Counter:
            return Counter(f"spaceport_{name}", text, labels, registry=registry)

        self.target_requests = counter("target_requests", "Requests by target and outcome.", ["target", "outcome"])
        self.cost = counter("cost_usd", "Cost of answers in USD by target, where it is known.", ["target"])
        self.unpriced = counter("unpriced_requests", "Answers whose cost is unknown, by target.", ["target"])

    def track_ledger(self, ledger: Ledger) -> None:
        """Add the gauges of the ledger; each scrape reads them."""
        for name, text, value in (
            ("ledger_waiting_bytes", "Rows of the ledger that wait on disk.", lambda: ledger.journal.waiting_bytes),
            ("ledger_connected", "1 while the ledger's database answers, else 0.", lambda: ledger.is_connected),
        ):
            Gauge(f"spaceport_{name}", text, registry=self.registry).set_function(value)

    def count(self, row: LedgerRow) -> None:
        """Add one request."""
        self.target_requests.labels(row.target, row.outcome).inc()
        if row.cost is None:
            self.unpriced.labels(row.target).inc()
        elif row.cost:
            self.cost.labels(row.target).inc(row.cost / money.NANO)
