"""Web pages that a visitor adds by their address."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_page.documents.uploads import Uploads
from chat_page.documents.web_pages import add_url
from chat_page.visitors.visitor import Visitor
from rag.errors import DocumentError
from tests.helpers.servers import wait_until
from tests.helpers.web_site import Site
from ui.admission.admission import Admission
from ui.admission.fair_queue import Caller

CALLER = Caller("127.0.0.1", "key")
URL = "http://port.example/dues"
PAGE = b"<fee>14</fee>"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("SPACEPORT_ALLOW_URLS", "1")
    site = Site()
    site.add("/dues", PAGE, "application/xml")
    yield site
    site.close()


async def test_a_page_is_a_document_with_its_address(visitor: Visitor, site: Site) -> None:
    updates = [update async for update in add_url(Uploads(Admission().uploads), CALLER, visitor, URL, site.edge)]
    (document,) = visitor.library.documents
    assert (document.name, document.text) == (URL, PAGE.decode())
    assert URL in updates[-1]
    assert not _fetched_files()


async def test_a_page_that_cant_be_fetched_is_refused_and_leaves_the_place(visitor: Visitor, site: Site) -> None:
    uploads = Uploads(Admission().uploads)
    for url in ("http://127.0.0.1/", "http://port.example/none", "file:///etc/passwd"):
        with pytest.raises(DocumentError):
            async for _ in add_url(uploads, CALLER, visitor, url, site.edge):
                pass
    assert not visitor.library.documents
    assert not visitor.ingestion.busy


async def test_a_page_that_arrives_after_its_visitor_has_left_is_deleted(visitor: Visitor, site: Site) -> None:
    """Until the page arrives, the visitor's place stays taken: otherwise those who leave would have all fetchers."""
    lane = Admission().uploads
    site.go.clear()
    task = asyncio.create_task(anext(add_url(Uploads(lane), CALLER, visitor, URL, site.edge)))
    await asyncio.to_thread(wait_until, lambda: bool(site.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lane.queue.in_flight == 1
    site.go.set()
    await asyncio.to_thread(wait_until, lambda: lane.queue.in_flight == 0)
    assert len(site.requests) == 2
    await asyncio.to_thread(wait_until, lambda: not _fetched_files())
    assert not visitor.library.documents


def _fetched_files() -> list[Path]:
    """Return the files of this type that were fetched; no other test leaves one."""
    return list(Path(tempfile.gettempdir()).glob("spaceport-*.xml"))
