"""The libraries that all visitors share: those that the operator built ahead, or else the sample documents."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from chat_page.documents import suggestions
from rag.documents import Document
from rag.library.built.manifest import is_library
from rag.library.built.shared_library import BuiltLibrary
from rag.library.library import Library
from rag.library.samples import SampleLibrary
from rag.search.embedding.embedders import Embedder

Choice = bool | Sequence[str]  # of the samples' checkbox, or of the checkboxes with the titles of libraries


def library_folders(
    beside_app: Path, elsewhere: str = "", *, environment: Mapping[str, str] | None = None
) -> list[Path]:
    """Return the folders in SPACEPORT_LIBRARY, or else the one that was published beside the app or `elsewhere`."""
    environment = os.environ if environment is None else environment
    if setting := environment.get("SPACEPORT_LIBRARY"):
        return [Path(folder) for folder in setting.split(os.pathsep) if folder]
    if is_library(beside_app):
        return [beside_app]
    return [Path(elsewhere)] if elsewhere else []


class SharedLibraries:
    """Libraries by their titles on the page; without a title it's the samples, which own documents replace."""

    def __init__(
        self, folders: Sequence[Path], corpus: Path, embedder: Embedder, *, examples: Sequence[str] = ()
    ) -> None:
        """Load built libraries; `LibraryRefused` if one is damaged or for another model. Samples are read later.

        `examples` are questions to the libraries; without any, they are about their headings.
        """
        built = [BuiltLibrary(folder, embedder) for folder in folders]
        self.folders = tuple(folders)
        self.libraries: tuple[Library, ...] = tuple(built) or (SampleLibrary(corpus, embedder),)
        self._examples = tuple(examples)
        self.titles = _unique([library.manifest.name for library in built])

    @property
    def default(self) -> Choice:
        """The choice of a new visitor: everything."""
        return self.titles or True

    def select(self, choice: Choice) -> list[Library]:
        """Return the libraries that a visitor has chosen."""
        if isinstance(choice, bool):
            return list(self.libraries) if choice else []
        return [library for title, library in zip(self.titles, self.libraries, strict=False) if title in choice]

    def documents(self, choice: Choice) -> list[Document]:
        """Return the documents of the chosen built libraries, without the samples."""
        return [each for library in self.select(choice) for each in library.documents] if self.titles else []

    def questions(self, choice: Choice) -> tuple[str, ...]:
        """Return questions to the chosen built libraries."""
        documents = self.documents(choice)
        return self._examples if documents and self._examples else suggestions.library_questions(documents)


def _unique(names: Sequence[str]) -> list[str]:
    """Return the names, with a number where one is there twice."""
    titles: list[str] = []
    for name in names:
        count = sum(title == name or title.startswith(f"{name} (") for title in titles)
        titles.append(f"{name} ({count + 1})" if count else name)
    return titles
