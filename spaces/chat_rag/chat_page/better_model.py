"""Offers the model that fits this machine best, and downloads it in the background."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable

from backends import Catalog, NotConfigured, SpaceportError
from backends.local_models.default_model import choose_model, chosen_model
from backends.local_models.download import cache_folder, download, find_downloaded
from backends.local_models.fit import LocalModel, best_model
from backends.machine.resources import this_machine
from backends.streams import ProgressCallback, closing, report_progress
from chat_page.strings import Strings
from chat_page.translations.languages import strings
from ui import html

_LOOPBACK = (None, "", "127.0.0.1", "localhost", "::1")


class ModelOffer:
    """The offer of one process. Only a page that nobody else can open makes it: a download fills this disk.

    `on_ready` is called when another model is in use.
    """

    def __init__(self, catalog: Catalog, *, host: str | None, share: bool, on_ready: Callable[[], None]) -> None:
        self._catalog, self._on_ready = catalog, on_ready
        self._private = host in _LOOPBACK and not share and not os.environ.get("SPACE_ID")
        self._downloading = asyncio.Lock()

    def model(self) -> LocalModel | None:
        """Return the model to offer, or None: on a public page, or if this machine's model was chosen before."""
        if not self._private or chosen_model() or self._catalog.writes(self._catalog.default) != "quotes":
            return None
        try:
            return best_model(this_machine(cache_folder()))
        except (OSError, ImportError):  # without the packages of the embedded kind
            return None

    def label(self, words: Strings) -> str:
        """Return the text of the button, or "" without an offer."""
        model = self.model()
        if model is None:
            return ""
        text = words.use_better_model if find_downloaded(model) else words.better_model
        return words.fill(text, name=model.name, size=f"{model.file_gb:g}")

    async def get_model(self) -> AsyncIterator[str]:
        """Download the model and make it this machine's; yield the progress as HTML, at the end a sentence."""
        words = strings()
        model = self.model()
        if model is None or self._downloading.locked():
            return
        async with self._downloading:
            try:
                if not await asyncio.to_thread(find_downloaded, model):
                    async for step in _steps(model):
                        yield step
                choose_model(model.name)
                self._on_ready()
            except OSError as error:
                yield _note(NotConfigured(words.fill(words.cannot_store, reason=error.strerror or "")))
                return
            except SpaceportError as error:
                yield _note(error)
                return
        yield html.progress_html(words.fill(words.better_model_ready, name=model.name), None)


async def _steps(model: LocalModel) -> AsyncIterator[str]:
    def work(report: ProgressCallback) -> object:
        return download(model, report)

    steps = report_progress(work)
    async with closing(steps):
        async for step, progress in steps:
            yield html.progress_html(step, progress)


def _note(error: SpaceportError) -> str:
    return html.progress_html(str(error), None)
