"""Tries the server's parts without a port: its settings, the model, a picture, and the routes."""

from __future__ import annotations

import io

from inference.settings import read
from vision.app import create_app
from vision.service import PLACES, VisionService, find_model
from vision.settings import VisionSettings


async def classify_nothing() -> tuple[str, str]:
    """Return the model's name and the label of an empty picture; raises a `BackendError` if something is missing."""
    import httptools  # noqa: F401 - uvicorn imports both once the server starts
    import uvloop  # noqa: F401
    from PIL import Image

    from backends.vision.embedded import EmbeddedClassifier, EmbeddedSettings
    from vision import server  # noqa: F401

    settings = read(VisionSettings)
    create_app(VisionService(settings))
    classifier = EmbeddedClassifier(EmbeddedSettings(model=find_model(settings, PLACES)))
    label = ""
    for name in ("JPEG", "PNG", "WEBP", "GIF"):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64)).save(buffer, name)
        label = (await classifier.classify(buffer.getvalue(), explain=name == "PNG")).labels[0].name
    health = await classifier.check()
    await classifier.aclose()
    return health.model, label
