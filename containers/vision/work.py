"""The answer to one request: the labels of its pictures."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from backends import Rejected
from backends.stopwatch import now
from backends.vision.types import Classification
from inference.answers.generation import Work
from vision.requests import ClassifyRequest
from vision.service import VisionService


class Classify(Work):
    """Classifies the pictures of one request; a single slot is enough for them, because they run in batches."""

    def __init__(self, service: VisionService, request: ClassifyRequest, *, request_id: str, dialect: str) -> None:
        super().__init__(service, service, request_id=request_id, dialect=dialect)
        self._service, self._request = service, request

    async def complete(self) -> dict[str, Any]:
        classifications = await self.classifications()
        results = [_result(each) for each in classifications]
        if self._request.instances:
            return {"predictions": results}
        return {"model": self._service.name, "results": results}

    async def classifications(self) -> list[Classification]:
        """Return the labels of each picture, in order."""
        metrics, request = self._service.metrics, self._request
        async with self.recorded():
            start = now()
            async with self._service.slot() as self._queue_seconds:
                results = await self._classify_all()
            metrics.duration.observe(now() - start)
            metrics.pictures.inc(len(results))
            metrics.heat_maps.inc(len(results) if request.explain else 0)
        return results

    async def _classify_all(self) -> list[Classification]:
        """Return the labels of all pictures, or raise the first error and stop the others."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._classify(number)) for number in range(len(self._request.pictures))]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _classify(self, number: int) -> Classification:
        request = self._request
        try:
            return await self._service.classify(request.pictures[number], top=request.top, explain=request.explain)
        except Rejected as error:
            if len(request.pictures) == 1:
                raise
            raise Rejected(f"Picture {number + 1}: {error.message}", error.remedy, status=error.status) from error

    def _log_fields(self, seconds: float) -> dict[str, Any]:
        return super()._log_fields(seconds) | {
            "pictures": len(self._request.pictures),
            "explain": self._request.explain,
        }


def _result(classification: Classification) -> dict[str, Any]:
    labels = [{"label": label.name, "probability": label.probability} for label in classification.labels]
    if classification.heat_map is None:
        return {"labels": labels}
    return {"labels": labels, "heat_map": base64.b64encode(classification.heat_map).decode()}
