"""The diffusion server's lifecycle: it finds and loads its pipeline, and knows which pictures it's making."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import Counter, Histogram

from backends import NotConfigured
from backends.diffusion.embedded import EmbeddedGenerator, EmbeddedSettings
from backends.diffusion.pipelines import DEFAULT_MODEL, INDEX
from diffusion.answers import cancel
from diffusion.settings import DiffusionSettings
from inference.answers.generation import Work
from inference.lifecycle import Lifecycle
from inference.metrics import ServerMetrics
from inference.model_source.served_model import FOLDERS, fetch

DIALECTS = ("images", "sagemaker", "vertex")
STEP_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class DiffusionMetrics(ServerMetrics):
    """Adds how many pictures the server made and withheld, how many steps it took, and how long they were."""

    def __init__(self) -> None:
        super().__init__(DIALECTS)
        self.pictures = Counter("spaceport_generated_pictures", "Pictures that were sent.", registry=self.registry)
        self.withheld = Counter(
            "spaceport_withheld_pictures", "Pictures that the safety checker held back.", registry=self.registry
        )
        self.steps: Histogram = self.histogram("step_duration", "One step of the denoising.", STEP_SECONDS)


class DiffusionService(Lifecycle):
    """One pipeline with its admission queue and metrics."""

    settings: DiffusionSettings
    metrics: DiffusionMetrics

    def __init__(self, settings: DiffusionSettings, folders: Sequence[Path] = FOLDERS) -> None:
        # A pipeline keeps state while it runs, and several pictures of one request fill a GPU as well.
        super().__init__(settings, DiffusionMetrics(), 1, settings.queue, settings.model_name)
        self.generator: EmbeddedGenerator | None = None
        self._folders = folders
        self._running: dict[str, set[Work]] = {}

    async def run(self) -> None:
        """Load the model, then wait until cancelled: it's in this process, and fails with a request or not at all."""
        settings = self.settings
        model = await asyncio.to_thread(find_model, settings, self._folders)
        words = await asyncio.to_thread(_refused_words, settings)
        self.generator = EmbeddedGenerator(
            EmbeddedSettings(
                model=model,
                device=settings.device,
                dtype=settings.dtype,
                variant=settings.variant,
                safety_checker=settings.safety_checker == "on",
                steps=settings.steps,
                guidance=settings.guidance,
                max_pixels=settings.max_pixels,
                max_steps=settings.max_steps,
                max_pictures=settings.max_pictures,
                max_prompt_characters=settings.max_prompt_characters,
                refused_words=words,
            )
        )
        health = await self.generator.check()
        self.has_loaded(health.model)
        await asyncio.Event().wait()

    def ready(self) -> EmbeddedGenerator:
        """Return the generator; raises `Overloaded` while it can't work."""
        self.check_ready()
        assert self.generator  # noqa: S101 - a server that is ready has one
        return self.generator

    def begin(self, work: Work) -> None:
        """Note that a request waits or runs, so that `cancel` finds it."""
        self._running.setdefault(work.id, set()).add(work)

    def end(self, work: Work) -> None:
        """Forget a request that has ended."""
        same = self._running.get(work.id, set())
        same.discard(work)
        if not same:
            self._running.pop(work.id, None)

    def cancel(self, request_id: str) -> int:
        """Cancel the requests with an ID, and return how many there were; `Refused` if there is none."""
        works = tuple(self._running.get(request_id, ()))
        return cancel(works)


def find_model(settings: DiffusionSettings, folders: Sequence[Path]) -> str:
    """Return a folder or the name of a repository from, in this order, SPACEPORT_MODEL, Cloud Storage or `folders`.

    Without one it's the default of the Hub.
    """
    if settings.model:
        return settings.model
    places = [fetch(settings.storage_uri)] if settings.storage_uri else list(folders)
    folders_with_index = (file.parent for folder in places if folder.is_dir() for file in sorted(folder.rglob(INDEX)))
    return str(next(folders_with_index, places[0] if settings.storage_uri else DEFAULT_MODEL))


def _refused_words(settings: DiffusionSettings) -> str:
    if not settings.refused_words_file:
        return settings.refused_words
    try:
        text = Path(settings.refused_words_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"SPACEPORT_REFUSED_WORDS_FILE names {settings.refused_words_file}, which cannot be read."
        raise NotConfigured(message, "Mount the list there.") from error
    return f"{settings.refused_words}\n{text}"
