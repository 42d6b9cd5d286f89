"""The vision server's lifecycle: it finds and loads its model, and is ready once that has run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import Counter, Histogram

from backends.vision.embedded import EmbeddedClassifier, EmbeddedSettings
from backends.vision.model_files import CONFIG, DEFAULT_MODEL
from backends.vision.types import Classification
from inference.lifecycle import Lifecycle
from inference.metrics import ServerMetrics
from inference.model_source.served_model import FOLDERS, fetch
from vision.settings import VisionSettings

logger = logging.getLogger(__name__)

DIALECTS = ("classify", "sagemaker", "vertex")
IN_IMAGE = Path("/model")
PLACES = (*FOLDERS, IN_IMAGE)
SLOTS_PER_BATCH = 2  # one batch runs while the pictures of the next one are decoded


class VisionMetrics(ServerMetrics):
    """Adds how many pictures the server classified, and how many ran together."""

    def __init__(self) -> None:
        super().__init__(DIALECTS)
        self.pictures = Counter("spaceport_pictures", "Pictures that were classified.", registry=self.registry)
        self.heat_maps = Counter("spaceport_heat_maps", "Maps of what decided.", registry=self.registry)
        self.batches = Histogram(
            "spaceport_batch_size", "Inputs that ran together.", buckets=(1, 2, 4, 8, 16, 32), registry=self.registry
        )


class VisionService(Lifecycle):
    """One classifier with its admission queue and metrics."""

    settings: VisionSettings
    metrics: VisionMetrics

    def __init__(self, settings: VisionSettings, folders: Sequence[Path] = PLACES) -> None:
        slots = settings.parallel or SLOTS_PER_BATCH * settings.batch
        super().__init__(settings, VisionMetrics(), slots, settings.queue, settings.model_name)
        self.classifier: EmbeddedClassifier | None = None
        self._folders = folders

    async def run(self) -> None:
        """Load the model, then wait until cancelled: it's in this process, and fails with a request or not at all."""
        settings = self.settings
        model = await asyncio.to_thread(find_model, settings, self._folders)
        self.classifier = EmbeddedClassifier(
            EmbeddedSettings(
                model=model,
                threads=settings.threads,
                batch=settings.batch,
                max_pixels=int(settings.max_megapixels * 1e6),
            ),
            observe_batch=self.metrics.batches.observe,
        )
        self.has_loaded(await self.classifier.load(_Progress()))
        await asyncio.Event().wait()

    def ready(self) -> EmbeddedClassifier:
        """Return the classifier; raises `Overloaded` while it can't answer."""
        self.check_ready()
        assert self.classifier  # noqa: S101 - a server that is ready has one
        return self.classifier

    async def classify(self, picture: bytes, *, top: int, explain: bool) -> Classification:
        """Return the labels of a picture."""
        classifier = self.classifier or self.ready()  # what has its slot goes on while the server drains
        return await classifier.classify(picture, top=top, explain=explain)


def find_model(settings: VisionSettings, folders: Sequence[Path]) -> str:
    """Return a folder or the name of a repository from, in this order, SPACEPORT_MODEL, Cloud Storage or `folders`.

    The last folder is the image's own model; without one the Hub has the default.
    """
    if settings.model:
        return settings.model
    places = [fetch(settings.storage_uri)] if settings.storage_uri else list(folders)
    folders_with_config = (file.parent for folder in places if folder.is_dir() for file in sorted(folder.rglob(CONFIG)))
    return str(next(folders_with_config, places[0] if settings.storage_uri else DEFAULT_MODEL))


class _Progress:
    """Logs a download every 10 %."""

    def __init__(self) -> None:
        self._last = -1

    def __call__(self, text: str, share: float | None) -> None:
        tenth = int((share or 0) * 10)
        if tenth != self._last:
            self._last = tenth
            logger.info(text, extra={"fields": {"share": share}})
