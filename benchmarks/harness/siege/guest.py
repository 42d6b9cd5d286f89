"""A guest of the chat page: its events, sent from any address, with any key and any data."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from harness.pages.page_client import API, session_messages

TARGET = "paced"


@dataclass(frozen=True)
class Page:
    """The page's URL and the numbers of its events."""

    url: str
    events: Mapping[str, int]

    @classmethod
    def from_config(cls, url: str, config: Mapping[str, Any]) -> Page:
        return cls(url, {event["api_name"]: event["id"] for event in config["dependencies"]})


class Guest:
    """One guest; `address` is its address on this machine."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        limits = httpx2.Limits(max_connections=None)
        transport = httpx2.AsyncHTTPTransport(local_address=address, limits=limits, verify=False)
        self.http = httpx2.AsyncClient(base_url=page.url, transport=transport, timeout=60)
        self.key = self.session = ""
        self.renew()

    def renew(self) -> None:
        """Become a new visitor with a new page: a key is any random text of the right form."""
        self.key = secrets.token_urlsafe(32)
        self.open_page()

    def open_page(self) -> None:
        """Open another page of the same visitor."""
        self.session = uuid.uuid4().hex[:12]

    async def run(self, name: str, *data: Any, **more: Any) -> list[Any]:
        """Run an event in one request and return its outputs."""
        return (await self._post("run/predict", name, data, more)).json()["data"]

    async def join(self, name: str, *data: Any, **more: Any) -> None:
        """Start an event whose messages arrive in the stream of the session."""
        await self._post("queue/join", name, data, more)

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what the page sends about this session's events."""
        async for message in session_messages(self.http, self.page.url, self.session):
            yield message

    async def ask(self, question: str, *, tokens: int, samples: bool = True) -> None:
        """Ask a question; the answer arrives in the stream of the session."""
        await self.run("submit", question, self.key)
        await self.join("respond", self.key, TARGET, 4, tokens, 0.2, "", False, samples)

    async def add_file(self, name: str, content: bytes) -> None:
        """Upload a file and wait until the page has read it."""
        response = await self.http.post(f"/{API}/upload", files={"files": (name, content)})
        (path,) = response.raise_for_status().json()
        file = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        await self.join("upload", [file], self.key)
        await self.read_all()

    async def read_all(self) -> None:
        """Read the stream of the session to its end."""
        async for _ in self.messages():
            pass

    async def _post(self, route: str, name: str, data: Sequence[Any], more: Mapping[str, Any]) -> httpx2.Response:
        body = {"data": data, "fn_index": self.page.events[name], "session_hash": self.session, **more}
        response = await self.http.post(f"/{API}/{route}", json=body)
        return response.raise_for_status()
