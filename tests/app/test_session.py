"""What belongs to a visitor goes when the visitor goes; the page runs in this process, to look behind it."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.app.conftest import App, free_port, upload, wait_until
from tests.conftest import ROOT


@pytest.fixture
def module() -> Iterator[dict[str, Any]]:
    module = runpy.run_path(str(ROOT / "spaces" / "chat_rag" / "app.py"), run_name="app")
    yield module
    module["demo"].close()


# What Gradio's own server leaves behind when it is closed inside a process is not ours to tidy.
@pytest.mark.filterwarnings("ignore")
def test_a_closed_page_takes_its_documents_along(
    module: dict[str, Any], open_page: Callable[..., Page], tmp_path: Path
) -> None:
    port = free_port()
    module["demo"].launch(server_port=port, prevent_thread_lock=True, quiet=True, ssr_mode=False)
    visitors = module["CHAT"]._visitors
    note = tmp_path / "note.txt"
    note.write_text("The spare key hangs behind the blue door.")
    page = open_page(App(f"http://127.0.0.1:{port}", None, tmp_path))
    upload(page, note)
    expect(page.locator("#documents li")).to_have_count(1)
    (visitor,) = visitors._visitors.values()
    assert [document.name for document in visitor.library.documents] == ["note.txt"]

    page.close()

    wait_until(lambda: not len(visitors), 30, lambda: "the visitor was not forgotten")
    assert visitor.library.documents == []
