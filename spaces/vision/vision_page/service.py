"""The classifiers of the catalogue, and what each finds in a picture; without Gradio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from backends import BackendError, Catalog, NotConfigured, Target
from backends.stopwatch import now
from backends.streams import closing
from backends.types import Downloadable
from backends.vision.types import Classifier
from ui.admission.admission import Admission
from vision_page import strings
from vision_page.finding import Finding

MAX_TARGETS = 2


class VisionService:
    """Classifiers for all visitors of one process. Creating it loads no model."""

    def __init__(self, catalog: Catalog) -> None:
        self.admission = Admission()
        self.catalog = catalog
        self.names = [name for name in catalog.all_names if catalog.task(name) == "classify"]
        self._classifiers: dict[str, Classifier] = {}

    def targets(self) -> list[Target]:
        """The targets that classify, with the reason for each that can't be used."""
        return [self.catalog.target(name) for name in self.names]

    def selection(self, first: str | None = None) -> list[str]:
        """Return what a page has selected at first: one classifier, and a server, which may be much faster."""
        usable = [target.name for target in self.targets() if not target.unavailable]
        names = list(dict.fromkeys([*filter(None, [first]), *usable]))
        return [name for place, name in enumerate(names) if place == 0 or not self.connect(name).local][:MAX_TARGETS]

    def connect(self, name: str) -> Classifier:
        """Return a classifier; visitors share those that are in this process. `NotConfigured` if it's none."""
        if name not in self.names:
            raise NotConfigured(f"There is no classifier {name[:80]!r}.", f"There are: {', '.join(self.names)}.")
        if name not in self._classifiers:
            classifier = self.catalog.connect(name)
            if not hasattr(classifier, "classify"):
                raise NotConfigured("Its kind does not classify pictures.", "Fix its kind.", target=name)
            self._classifiers[name] = classifier  # type: ignore[assignment]
        return self._classifiers[name]

    async def find(self, picture: bytes, names: Sequence[str], *, explain: bool) -> AsyncIterator[list[Finding]]:
        """Yield what each classifier has found so far; they take turns, so that none slows another one down."""
        findings = [
            Finding(self.catalog.title(name), strings.WAITING if number else "") for number, name in enumerate(names)
        ]
        for number, name in enumerate(names):
            updates = self._find(name, findings[number], picture, explain=explain)
            async with closing(updates):
                async for findings[number] in updates:
                    yield findings

    async def _find(self, name: str, finding: Finding, picture: bytes, *, explain: bool) -> AsyncIterator[Finding]:
        try:
            classifier = self.connect(name)
            yield (finding := replace(finding, step=strings.LOADING))
            if isinstance(classifier, Downloadable):
                async for text, share in classifier.pull():
                    yield replace(finding, step=text, progress=share)
            yield (finding := replace(finding, step=strings.CLASSIFYING))
            start = now()
            result = await classifier.classify(picture)
            seconds = now() - start
            step = strings.EXPLAINING if explain else ""
            yield (finding := replace(finding, labels=result.labels, seconds=seconds, step=step))
            if explain:
                result = await classifier.classify(picture, explain=True)
                yield (finding := replace(finding, heat_map=result.heat_map, step=""))
        except BackendError as error:
            yield replace(finding, error=str(error), step="", progress=None)
