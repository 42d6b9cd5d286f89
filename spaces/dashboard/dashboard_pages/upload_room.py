"""ASGI middleware that limits the uploads that Streamlit keeps in memory for as long as their session is open."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from ui.access.client_address import network
from ui.middleware.request_limits import MB, RequestLimits
from ui.middleware.shared_room import SharedRoom

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.access.routes import RouteTable

RETRY_SECONDS = 60
FILE_NAMES = ".jsonl"
REFUSAL = "Uploads fill the room that they may have. Close other tabs of this page, or try again in a minute.\n"


class UploadRoom:
    """Keeps one file for each session, and answers 429 when those of an address, or of all, would be too large.

    Streamlit takes files of any name for any open session, and has no limit for all of them together.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: RequestLimits,
        routes: RouteTable,
        per_address: int = 200 * MB,
        total: int = 1000 * MB,
    ) -> None:
        self._app = app
        self._largest = limits.file_bytes
        self._routes = routes
        self._per_address, self._total = per_address, total
        self._arriving = SharedRoom(per_address, total)
        self._addresses: dict[str, str] = {}  # of the sessions that have uploaded something

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._routes.allows(scope):
            return await self._app(scope, receive, send)
        address, session = network((scope.get("client") or ("",))[0]), scope["path"].split("/")[-2]
        stored = self._stored_bytes()
        if not (
            self._arriving.fits_address(address, stored[address] + self._largest)
            and self._arriving.fits_total(stored.total() + self._largest)
        ):
            refusal = PlainTextResponse(REFUSAL, 429, headers={"retry-after": str(RETRY_SECONDS)})
            return await refusal(scope, receive, send)
        self._addresses.setdefault(session, address)
        self._arriving.take(address, self._largest)
        try:
            return await self._app(scope, receive, send)
        finally:
            self._arriving.give_back(address, self._largest)
            self._delete_unused(session)

    def _stored_bytes(self) -> Counter[str]:
        """Return the bytes of all files by the addresses that sent them."""
        files = _manager().file_storage
        self._addresses = {session: address for session, address in self._addresses.items() if session in files}
        stored: Counter[str] = Counter()
        for session, address in self._addresses.items():
            stored[address] += sum(len(file.data) for file in list(files[session].values()))
        return stored

    def _delete_unused(self, session: str) -> None:
        """Delete all files of a session but the last one, because the page shows one run, and those with other names.

        Streamlit logs a traceback for a name that the page's field doesn't take.
        """
        manager = _manager()
        files = list(manager.file_storage.get(session, {}).items())
        for number, (file, record) in enumerate(files, start=1):
            if number < len(files) or not record.name.lower().endswith(FILE_NAMES) or "\0" in record.name:
                manager.remove_file(session, file)


def _manager() -> MemoryUploadedFileManager:
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)  # noqa: S101  # Streamlit's own server has no other
    return manager
