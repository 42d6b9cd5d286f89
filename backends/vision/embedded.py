"""The kind `backends.vision.embedded`: a classifier in this process, through onnxruntime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from backends.machine.processors import usable_processors
from backends.settings import read_settings, require_package
from backends.streams import ProgressCallback
from backends.types import Health
from backends.vision import occlusion
from backends.vision.batcher import Batcher
from backends.vision.engine import Engine
from backends.vision.memory import memory_errors_in_words
from backends.vision.model_files import DEFAULT_MODEL, find_model
from backends.vision.pictures import MAX_PIXELS, read_picture
from backends.vision.types import LABELS, Classification, Classifier, Label

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from backends.vision.preprocessing import Box

DECODERS = 2  # pictures that are decoded at once, because each can take 200 MB


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """`model` is a folder or a repository of the Hub, `batch` how many pictures run together at most."""

    model: str = DEFAULT_MODEL
    threads: int | None = None
    batch: int = 8
    max_pixels: int = MAX_PIXELS


def connect(settings: Mapping[str, Any]) -> EmbeddedClassifier:
    """Return the classifier; it loads its model, or downloads it, with the first picture."""
    for package in ("onnxruntime", "numpy", "PIL"):
        require_package(package, extra="vision")
    return EmbeddedClassifier(read_settings(EmbeddedSettings, settings))


class EmbeddedClassifier(Classifier):
    """A network in this process; pictures of several callers run together."""

    local = True

    def __init__(self, settings: EmbeddedSettings, observe_batch: Callable[[int], None] = lambda size: None) -> None:
        self._settings = settings
        self._observe_batch = observe_batch
        self._engine: Engine | None = None
        self._batcher: Batcher | None = None
        self._loading = asyncio.Lock()
        self._decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix="decoder")

    async def load(self, report: ProgressCallback | None = None) -> str:
        """Load the model unless it is; return its name."""
        async with self._loading:
            if self._engine is None:
                self._engine = await asyncio.to_thread(self._load, report)
                self._batcher = Batcher(self._engine.logits, self._settings.batch, self._observe_batch)
        return self._engine.model.name

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Download the model if it must be, and load it: yield the step and its progress, see `Downloadable`."""
        if self._engine:
            return
        steps: asyncio.Queue[tuple[str, float | None]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def report(text: str, share: float | None) -> None:
            loop.call_soon_threadsafe(steps.put_nowait, (text, share))

        load = asyncio.create_task(self.load(report))
        load.add_done_callback(_forget_error)  # it goes on for those who come next if this caller leaves
        while not load.done():
            step = asyncio.create_task(steps.get())
            await asyncio.wait({load, step}, return_when=asyncio.FIRST_COMPLETED)
            if step.done():
                yield step.result()
            step.cancel()
        await load

    def _load(self, report: ProgressCallback | None) -> Engine:
        return Engine(find_model(self._settings.model, report), self._settings.threads or usable_processors())

    async def check(self) -> Health:
        return Health(model=await self.load())

    async def classify(self, picture: bytes, *, top: int = LABELS, explain: bool = False) -> Classification:
        """Return the likeliest labels; raises `Rejected` for what isn't a picture, `Overloaded` without memory."""
        await self.load()
        with memory_errors_in_words():
            return await self._classify(picture, top, explain)

    async def _classify(self, picture: bytes, top: int, explain: bool) -> Classification:
        loop = asyncio.get_running_loop()
        image, seen, entry = await loop.run_in_executor(self._decoders, self._prepare, picture, explain)
        assert self._engine and self._batcher  # noqa: S101  # load() made them
        shares = self._probabilities((await self._batcher.submit(entry))[None])[0]
        best = shares.argsort()[::-1][: max(1, top)]
        labels = tuple(Label(self._engine.labels[number], round(float(shares[number]), 6)) for number in best)
        if image is None:
            return Classification(labels)
        cells = await self._importance(entry, best[0], float(shares[best[0]]))
        return Classification(labels, await loop.run_in_executor(self._decoders, occlusion.draw, image, seen, cells))

    def _prepare(self, picture: bytes, explain: bool) -> tuple[PillowImage | None, Box, NDArray[Any]]:
        """Return a small copy of a picture to explain, the part of it that the model sees, and the input.

        Nothing keeps the picture itself: the pictures of one request could fill the memory.
        """
        assert self._engine  # noqa: S101  # load() made it
        preprocessing = self._engine.model.preprocessing
        image = read_picture(picture, max_pixels=self._settings.max_pixels, detail=preprocessing.detail)
        seen = preprocessing.seen(image.size)
        entry = preprocessing.array(image, self._engine.channels)
        return occlusion.small_copy(image) if explain else None, seen, entry

    async def _importance(self, entry: NDArray[Any], label: int, probability: float) -> NDArray[Any]:
        """Return how much each part of the input decided for a label of this probability."""
        import numpy as np

        assert self._engine and self._batcher  # noqa: S101  # load() made them
        rows: list[NDArray[Any]] = []
        # One batch after another, so that the pictures of others come between them.
        for entries in _batches(occlusion.covered(entry), self._batcher.size):
            rows += await asyncio.gather(*map(self._batcher.submit, entries))
        return occlusion.importance(probability, self._probabilities(np.stack(rows))[:, label])

    def _probabilities(self, logits: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        assert self._engine  # noqa: S101  # load() made it
        if not self._engine.model.one_label:
            return np.asarray(1 / (1 + np.exp(-logits)))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    async def aclose(self) -> None:
        if self._batcher:
            self._batcher.close()
        self._decoders.shutdown(wait=False, cancel_futures=True)


def _batches(entries: Iterator[NDArray[Any]], size: int) -> Iterator[list[NDArray[Any]]]:
    while batch := list(islice(entries, size)):
        yield batch


def _forget_error(load: asyncio.Task[str]) -> None:
    if not load.cancelled():
        load.exception()
