"""Libraries that were built ahead, on a page in a browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from rag.library.built.build import BuildOptions, build_library
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from rag.search.embedding.embedders import Embedder
from tests.conftest import ROOT
from tests.helpers.apps import App
from tests.helpers.chat import ask, wait_for_answer


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The setting that names two libraries of one document each."""
    texts = {"Harbour": "The crane of the harbour lifts 40 tonnes.", "Kitchen": "The kettle holds 1.7 litres of water."}
    root = tmp_path_factory.mktemp("libraries")
    with closing(ReaderPool(1, ProcessLimits())) as readers:
        for name, text in texts.items():
            (root / f"{name}-files").mkdir()
            (root / f"{name}-files" / f"{name.lower()}.txt").write_text(text)
            build_library(root / f"{name}-files", root / name, Embedder(), readers, BuildOptions(name))
    return ":".join(str(root / name) for name in texts)


def quotes(page: Page) -> str:
    wait_for_answer(page)
    return page.locator("#chat .bot").last.inner_text()


@pytest.fixture(scope="module")
def app(libraries: str, catalog: Path, start_app: Callable[..., App]) -> App:
    """The page with the libraries, started in its own folder."""
    folder = ROOT / "spaces" / "chat_rag"
    return start_app("--catalog", str(catalog), space="app.py", cwd=folder, SPACEPORT_LIBRARY=libraries)


def test_a_page_that_starts_in_its_own_folder_has_its_api_and_no_other(app: App) -> None:
    api = httpx2.get(f"{app.url}/gradio_api/info").json()["named_endpoints"]
    assert list(api) == ["/ask_documents", "/search_documents"]


def test_a_visitor_chooses_which_libraries_are_asked(app: App, open_page: Callable[..., Page]) -> None:
    page = open_page(app)
    harbour, kitchen = (page.get_by_label(name, exact=True) for name in ("Harbour", "Kitchen"))
    expect(harbour).to_be_checked()
    expect(kitchen).to_be_checked()
    ask(page, "How much does the kettle hold?")
    assert "1.7 litres" in quotes(page)
    kitchen.uncheck()
    page.reload()
    expect(kitchen).not_to_be_checked()
    expect(harbour).to_be_checked()
    ask(page, "How much does the kettle hold?")
    assert "1.7 litres" not in quotes(page)
    ask(page, "What does the crane lift?")
    assert "40 tonnes" in quotes(page)
    harbour.uncheck()
    page.reload()
    expect(harbour).not_to_be_checked()
