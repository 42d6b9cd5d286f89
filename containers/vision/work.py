"""The answer to one request: the labels of its pictures."""

from __future__ import annotations

from typing import Any

from backends.stopwatch import now
from backends.vision.types import Classification
from inference.answers.generation import Work
from vision.answers import classify_all, document
from vision.requests import ClassifyRequest
from vision.service import VisionService


class Classify(Work):
    """Classifies the pictures of one request; a single slot is enough for them, because they run in batches."""

    def __init__(self, service: VisionService, request: ClassifyRequest, *, request_id: str, dialect: str) -> None:
        super().__init__(service, service, request_id=request_id, dialect=dialect)
        self._service, self._request = service, request

    async def complete(self) -> dict[str, Any]:
        classifications = await self.classifications()
        return document(self._service.name, classifications, instances=self._request.instances)

    async def classifications(self) -> list[Classification]:
        """Return the labels of each picture, in order."""
        metrics, request = self._service.metrics, self._request
        async with self.recorded():
            start = now()
            async with self._service.slot() as self._queue_seconds:
                results = await classify_all(self._service.classify, request, at_once=len(request.pictures))
            metrics.duration.observe(now() - start)
            metrics.pictures.inc(len(results))
            metrics.heat_maps.inc(len(results) if request.explain else 0)
        return results

    def _log_fields(self, seconds: float) -> dict[str, Any]:
        return super()._log_fields(seconds) | {
            "pictures": len(self._request.pictures),
            "explain": self._request.explain,
        }
