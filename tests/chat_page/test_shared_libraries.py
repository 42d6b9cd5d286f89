"""Libraries that the operator built are searched beside a visitor's own documents, each of them if it is chosen."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from backends import Catalog
from chat_page.chat import Chat
from chat_page.documents.shared_libraries import SharedLibraries, library_folders
from chat_page.handlers.documents import DocumentHandlers
from chat_page.handlers.page import PageHandlers
from rag.answering.retrieve import retrieve_passages
from rag.documents import Limits
from rag.library.built.build import BuildOptions, build_library
from rag.library.built.manifest import LibraryRefused
from rag.reading.processes.pool import file_readers
from rag.search.embedding.embedders import Embedder
from tests.conftest import ROOT
from ui.access.tickets import new_key

CORPUS = ROOT / "spaces" / "chat_rag" / "corpus"


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def folders(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two libraries of the same name, about birds and about fees."""
    place = tmp_path_factory.mktemp("libraries")
    texts = {
        "birds": "The gannet dives from thirty metres to catch the fish that it eats.",
        "fees": "A berth at the north quay costs 120 euros.",
    }
    for name, text in texts.items():
        (place / name).mkdir()
        (place / name / f"{name}.txt").write_text(text)
        options = BuildOptions("Handbook", report=lambda line: None)
        build_library(place / name, place / f"{name}-library", embedder, file_readers(), options)
    return [place / f"{name}-library" for name in texts]


@pytest.fixture
def shared(folders: list[Path], embedder: Embedder) -> SharedLibraries:
    return SharedLibraries(folders, CORPUS, embedder)


def test_each_library_can_be_left_out(shared: SharedLibraries, embedder: Embedder) -> None:
    assert shared.default == ["Handbook", "Handbook (2)"]
    found = {
        tuple(choice): [
            each.document for each in retrieve_passages(shared.select(choice), "gannet", Embedder(), limit=5)
        ]
        for choice in (["Handbook", "Handbook (2)"], ["Handbook"], ["Handbook (2)"], [])
    }
    assert found[("Handbook",)] == ["birds.txt"]
    assert found[("Handbook (2)",)] == ["fees.txt"]
    assert found[()] == []
    assert set(found["Handbook", "Handbook (2)"]) == {"birds.txt", "fees.txt"}
    assert [document.name for document in shared.documents(["Handbook"])] == ["birds.txt"]


def test_without_a_library_the_samples_are_shared() -> None:
    samples = SharedLibraries([], CORPUS, Embedder())
    assert samples.default is True
    assert samples.titles == []
    assert [len(samples.select(choice)) for choice in (True, False)] == [1, 0]
    assert samples.documents(True) == []


def test_the_setting_names_several_folders(folders: list[Path], tmp_path: Path) -> None:
    setting = {"SPACEPORT_LIBRARY": os.pathsep.join(map(str, folders))}
    assert library_folders(tmp_path, environment=setting) == folders
    assert library_folders(tmp_path, environment={}) == []
    assert library_folders(folders[0], environment={}) == [folders[0]]
    assert library_folders(folders[0], environment=setting) == folders
    assert library_folders(folders[0], "/library", environment={}) == [folders[0]]
    assert library_folders(tmp_path, "/library", environment={}) == [Path("/library")]


def test_a_page_with_a_damaged_library_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(LibraryRefused, match="isn't a library"):
        Chat(Catalog.load(None), CORPUS, limits=Limits(), libraries=[tmp_path / "nothing"])


def test_own_documents_take_the_place_of_the_samples_but_not_of_a_library(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEPORT_DATA", str(tmp_path / "data"))
    (tmp_path / "own.txt").write_text("The ferry leaves at noon.")
    request: Any = SimpleNamespace(session_hash="page")
    for libraries, expected in (([], False), (folders, gr.skip())):
        chat = Chat(Catalog.load(None), CORPUS, limits=Limits(), libraries=libraries)
        page, key = PageHandlers(chat), new_key()
        visitor = chat.visitor(key)
        assert page.shared_choice(visitor) == gr.skip()
        visitor.library.add(tmp_path / "own.txt")
        assert page.shared_choice(visitor) == expected
        assert page.delete_data(key, request)[-1] == chat.shared.default


def test_the_first_questions_are_about_the_chosen_libraries(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEPORT_DATA", str(tmp_path / "data"))
    chat = Chat(Catalog.load(None), CORPUS, limits=Limits(), libraries=folders)
    handlers, request = DocumentHandlers(chat, PageHandlers(chat)), SimpleNamespace(session_hash="page")
    suggested = handlers.suggest(new_key(), ["Handbook"], request)  # type: ignore[arg-type]
    assert [example["text"] for example in suggested.examples] == ["What is birds.txt about?"]
    nothing = handlers.suggest(new_key(), [], request)  # type: ignore[arg-type]
    assert not nothing.examples
    assert "No document is selected" in nothing.placeholder
    assert "sample" not in nothing.placeholder
    assert {str(folder) for folder in folders} <= set(chat.private_folders)
