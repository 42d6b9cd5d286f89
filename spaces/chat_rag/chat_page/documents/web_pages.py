"""Adds a web page or file to a visitor's library by its address, where the operator allows it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from backends.streams import closing
from chat_page.documents.uploads import Uploads
from chat_page.rendering.documents import documents_html
from chat_page.visitors.visitor import Visitor
from rag.errors import DocumentError
from rag.reading.archives.sources import Source
from rag.reading.web.addresses import Edge
from rag.reading.web.fetch import fetch
from ui.admission.fair_queue import Caller

# Threads of their own: a slow server can take half a minute, and the event loop's threads are few.
_FETCHERS = ThreadPoolExecutor(4, thread_name_prefix="fetch")


async def add_url(
    uploads: Uploads, caller: Caller, visitor: Visitor, url: str, edge: Edge | None = None
) -> AsyncIterator[str]:
    """Fetch a page when it is the visitor's turn, and add it like an upload; yield the document list.

    Raises `DocumentError` if the page can't be fetched, and `Refused` if too many wait.
    """
    place = uploads.lane.join(caller)
    try:
        async for ahead in place.wait():
            yield documents_html(visitor.library.documents, waiting=ahead)
    except BaseException:
        place.release()
        raise
    fetching = asyncio.get_running_loop().run_in_executor(_FETCHERS, partial(fetch, url, edge=edge))
    try:
        source = await place.keep(fetching)
    except asyncio.CancelledError:
        fetching.add_done_callback(_discard)  # the visitor has left
        raise
    added = uploads.add(caller, visitor, [source])
    async with closing(added):
        async for documents in added:
            yield documents


def _discard(fetching: asyncio.Future[Source]) -> None:
    with contextlib.suppress(DocumentError, asyncio.CancelledError):
        fetching.result().path.unlink(missing_ok=True)
