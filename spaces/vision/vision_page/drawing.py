"""The models of the catalogue that make pictures, and how a picture comes; without Gradio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from backends import BackendError, Catalog
from backends.diffusion.types import PictureEvent, PictureGenerator, PictureRequest, Pictures, Queued
from backends.machine.zero_gpu import load_on_zero_gpu
from backends.stopwatch import now
from backends.streams import closing
from backends.types import Downloadable
from ui.admission.admission import Admission
from vision_page import strings
from vision_page.drawn_pictures import Canvas
from vision_page.targets import TaskTargets


class DrawingService(TaskTargets[PictureGenerator]):
    """Generators of pictures for all visitors of one process."""

    def __init__(self, catalog: Catalog, admission: Admission) -> None:
        super().__init__(catalog, "draw", "generate")
        self.admission = admission

    def load_on_zero_gpu(self) -> None:
        """On ZeroGPU, load the models of this process while the app is imported, as its documentation wants."""
        load_on_zero_gpu(self.connect, [target.name for target in self.targets() if not target.unavailable])

    async def draw(self, request: PictureRequest, names: Sequence[str]) -> AsyncIterator[list[Canvas]]:
        """Yield what each model has drawn so far; they take turns, so that none slows another one down."""
        canvases = [
            Canvas(self.catalog.title(name), request.prompt, strings.WAITING if number else "")
            for number, name in enumerate(names)
        ]
        for number, name in enumerate(names):
            updates = self._draw(name, canvases[number], request)
            async with closing(updates):
                async for canvases[number] in updates:
                    yield canvases

    async def _draw(self, name: str, canvas: Canvas, request: PictureRequest) -> AsyncIterator[Canvas]:
        try:
            generator = self.connect(name)
            if isinstance(generator, Downloadable):
                yield (canvas := replace(canvas, step=strings.LOADING))
                async for text, share in generator.pull():
                    # A step without progress names the model, which can be a folder of the operator's.
                    yield replace(canvas, step=strings.LOADING if share is None else text, progress=share)
            yield (canvas := replace(canvas, step=strings.STARTING))
            start = now()
            events = generator.generate(request)
            async with closing(events):
                async for event in events:
                    yield (canvas := _updated(canvas, event, now() - start))
        except BackendError as error:
            yield replace(canvas, error=str(error), step="", progress=None, preview=None)


def _updated(canvas: Canvas, event: PictureEvent, seconds: float) -> Canvas:
    if isinstance(event, Pictures):
        return replace(canvas, step="", progress=None, preview=None, pictures=event.pictures, seconds=seconds)
    if isinstance(event, Queued):
        return replace(canvas, step=strings.queued_text(event.ahead))
    share = event.step / event.steps if event.steps else None
    step = strings.step_text(event.step, event.steps)
    return replace(canvas, step=step, progress=share, preview=event.preview or canvas.preview)
