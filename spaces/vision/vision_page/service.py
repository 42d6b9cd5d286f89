"""The classifiers of the catalogue, and what each finds in a picture; without Gradio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from backends import BackendError, Catalog
from backends.stopwatch import now
from backends.streams import closing
from backends.types import Downloadable
from backends.vision.types import Classifier
from ui.admission.admission import Admission
from vision_page import strings
from vision_page.finding import Finding
from vision_page.targets import TaskTargets


class VisionService(TaskTargets[Classifier]):
    """Classifiers for all visitors of one process."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog, "classify", "classify")
        self.admission = Admission()

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
