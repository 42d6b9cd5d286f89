"""The kind `backends.diffusion.embedded`: a text-to-image pipeline of diffusers in this process."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from backends.diffusion.drawing import draw
from backends.diffusion.limits import PictureLimits, check_request
from backends.diffusion.pipelines import (
    DEFAULT_MODEL,
    LoadedPipeline,
    PipelineSettings,
    check_model,
    default_size,
    load,
)
from backends.diffusion.types import PictureEvent, PictureGenerator, PictureRequest
from backends.errors import NotConfigured, Rejected
from backends.machine.zero_gpu import ZERO_GPU
from backends.settings import read_settings, require_package
from backends.streams import closing, iterate_in_thread
from backends.types import Health


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """`model` is a folder or a repository of the Hub; see `PipelineSettings` and `PictureLimits`.

    `steps` and `guidance` are the defaults of a request. `refused_words` are separated by commas or line ends.
    """

    model: str = DEFAULT_MODEL
    device: str = "auto"
    dtype: str = "auto"
    variant: str | None = None
    safety_checker: bool = True
    steps: int = 30
    guidance: float | None = None
    max_pixels: int = PictureLimits.max_pixels
    max_steps: int = PictureLimits.max_steps
    max_pictures: int = PictureLimits.max_pictures
    max_prompt_characters: int = PictureLimits.max_prompt_characters
    refused_words: str = ""


def connect(settings: Mapping[str, Any]) -> EmbeddedGenerator:
    """Return the generator; it loads its model, or downloads it, with the first prompt."""
    for package in ("torch", "diffusers", "transformers"):
        require_package(package, extra="diffusion")
    return EmbeddedGenerator(read_settings(EmbeddedSettings, settings))


class EmbeddedGenerator(PictureGenerator):
    """A pipeline in this process, which makes the pictures of one request at a time; equal targets share it."""

    local = True

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self.pipeline_settings = PipelineSettings(
            model=settings.model,
            device=settings.device,
            dtype=settings.dtype,
            variant=settings.variant or None,
            safety_checker=settings.safety_checker,
        )
        self.limits = PictureLimits(
            max_pixels=settings.max_pixels,
            max_steps=settings.max_steps,
            max_pictures=settings.max_pictures,
            max_prompt_characters=settings.max_prompt_characters,
            refused_words=split_words(settings.refused_words.splitlines()),
        )

    def load(self) -> LoadedPipeline:
        """Load the model unless it is; blocks. On ZeroGPU, an app calls this while it's imported.

        `NotConfigured` if a request that leaves out size and steps would exceed the limits.
        """
        loaded = load(self.pipeline_settings)
        self._check_defaults(default_size(loaded.pipeline))
        return loaded

    async def check(self) -> Health:
        """Load the model, and report its name and device."""
        await asyncio.to_thread(check_model, self.pipeline_settings)  # in moments, while loading takes minutes
        loaded = await asyncio.to_thread(self.load)
        return Health(loaded.name, detail=f"on {loaded.device}")

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Load the model before the first prompt, which downloads it if necessary; see `Downloadable`."""
        yield f"Loading {self._settings.model}", None
        await self.check()

    def check_request(self, request: PictureRequest) -> None:
        """Raise `Rejected` for what is refused here, the defaults of what the request leaves out included."""
        check_request(self._complete(request), self.limits)

    async def generate(self, request: PictureRequest) -> AsyncIterator[PictureEvent]:
        """Yield the progress and the pictures; see `PictureGenerator`."""
        self.check_request(request)
        await asyncio.to_thread(self.load)  # checks the default size
        full = self._complete(request)
        events = iterate_in_thread(lambda stopped: draw(self.pipeline_settings, full, None if ZERO_GPU else stopped))
        async with closing(events):
            async for event in events:
                yield event

    def _complete(self, request: PictureRequest) -> PictureRequest:
        """Return a request with its defaults; one without a seed gets a random one."""
        settings = self._settings
        guidance = settings.guidance if request.guidance is None else request.guidance
        seed = secrets.randbelow(2**32) if request.seed is None else request.seed
        steps = settings.steps if request.steps is None else request.steps
        return replace(request, steps=steps, seed=seed, guidance=guidance)

    def _check_defaults(self, size: tuple[int, int] | None) -> None:
        """Raise `NotConfigured` if a request that leaves out everything but the prompt would exceed the limits."""
        try:
            check_request(self._complete(PictureRequest("a")), replace(self.limits, refused_words=()))
        except Rejected as error:
            remedy = "Change the default, or the limit."
            raise NotConfigured(f"The defaults exceed the limits: {error.message}", remedy) from error
        if size and size[0] * size[1] > self.limits.max_pixels:
            message = (
                f"The model's default size is {size[0]} × {size[1]} pixels; max_pixels is {self.limits.max_pixels:,}."
            )
            raise NotConfigured(message, "Raise max_pixels, or choose a model with a smaller default size.")


def split_words(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the words and phrases of a list: one a line, or several with commas; # begins a comment."""
    words = (word.strip() for line in lines for word in line.partition("#")[0].split(","))
    return tuple(dict.fromkeys(word for word in words if word))
