"""The answer to one request for labels, from any classifier."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from backends import Rejected
from backends.vision.types import Classification
from vision.requests import ClassifyRequest

Classify = Callable[..., Awaitable[Classification]]


async def classify_all(classify: Classify, request: ClassifyRequest, *, at_once: int) -> list[Classification]:
    """Return the labels of each picture, in order, or raise the first error and stop the others.

    `classify` takes a picture, `top` and `explain`; `at_once` is how many pictures it gets at the same time.
    """
    slots = asyncio.Semaphore(at_once)

    async def classify_one(number: int, picture: bytes) -> Classification:
        async with slots:
            try:
                return await classify(picture, top=request.top, explain=request.explain)
            except Rejected as error:
                if len(request.pictures) == 1:
                    raise
                raise Rejected(f"Picture {number}: {error.message}", error.remedy, status=error.status) from error

    try:
        async with asyncio.TaskGroup() as group:
            numbered = enumerate(request.pictures, start=1)
            tasks = [group.create_task(classify_one(number, picture)) for number, picture in numbered]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def document(model: str, classifications: Sequence[Classification], *, instances: bool) -> dict[str, Any]:
    """Return the labels in our own shape, or in Vertex AI's for a request with `instances`."""
    results = [_result(each) for each in classifications]
    return {"predictions": results} if instances else {"model": model, "results": results}


def _result(classification: Classification) -> dict[str, Any]:
    labels = [{"label": label.name, "probability": label.probability} for label in classification.labels]
    if classification.heat_map is None:
        return {"labels": labels}
    return {"labels": labels, "heat_map": base64.b64encode(classification.heat_map).decode()}
