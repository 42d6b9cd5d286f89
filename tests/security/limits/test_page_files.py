"""The files of Gradio's frontend come out of the page's memory, and are the same as on the disk."""

from __future__ import annotations

from pathlib import Path

import anyio
import gradio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.middleware.page_files import PageFiles

FRONTEND = Path(str(gradio.__file__)).parent / "templates" / "frontend"
LARGE = max((FRONTEND / "assets").glob("*.js"), key=lambda path: path.stat().st_size)
OTHER = sorted((FRONTEND / "assets").glob("*.js"), key=lambda path: path.stat().st_size)[-2]
SMALL = min((FRONTEND / "assets").glob("*.js"), key=lambda path: path.stat().st_size)


class Page:
    """An app with the frontend's files, and how often it read each path."""

    def __init__(self, **options: int) -> None:
        self.reads: list[str] = []
        routes = [Route("/{path:path}", self.read)]
        self.client = TestClient(Starlette(routes=routes, middleware=[Middleware(PageFiles, **options)]))

    async def read(self, request: Request) -> Response:
        self.reads.append(request.url.path)
        path = FRONTEND / request.path_params["path"]
        return FileResponse(path) if path.is_file() else Response("none", 404)

    def get(self, path: str, encoding: str = "br", **headers: str) -> Response:
        return self.client.get(path, headers={"accept-encoding": encoding, **headers})


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
@pytest.mark.parametrize("file", [LARGE, SMALL], ids=["large", "small"])
def test_a_file_is_read_once_for_each_encoding(file: Path, encoding: str) -> None:
    page = Page()
    answers = [page.get(f"/assets/{file.name}", encoding) for _ in range(3)]
    assert {answer.content for answer in answers} == {file.read_bytes()}
    assert answers[0].headers == answers[2].headers
    if file is LARGE:
        assert answers[2].headers.get("content-encoding", "identity") == encoding
    assert len(page.reads) == 1
    assert page.get(f"/assets/{file.name}", "br, gzip, deflate").content == file.read_bytes()


def test_what_is_no_whole_file_is_not_kept() -> None:
    page = Page()
    path = f"/assets/{LARGE.name}"
    page.get(path)
    part = page.get(path, "identity", range="bytes=5-9")
    assert (part.status_code, part.content) == (206, LARGE.read_bytes()[5:10])
    for name, method in {"/assets/none.js": "GET", "/none": "GET", path: "HEAD"}.items():
        page.reads.clear()
        for _ in range(2):
            assert page.client.request(method, name).status_code == (404 if "none" in name else 200)
        assert page.reads == [name, name]


def test_files_without_room_are_read_again() -> None:
    page = Page(max_bytes=10_000)
    for _ in range(2):
        for file in (LARGE, SMALL):
            assert page.get(f"/assets/{file.name}", "identity").content == file.read_bytes()
    assert page.reads == [f"/assets/{file.name}" for file in (LARGE, SMALL, LARGE)]


def test_another_name_of_a_file_takes_no_memory() -> None:
    page = Page()
    for dots in ("%2e/", "%2e/%2e/", "/"):  # the client itself resolves plain dots
        for _ in range(2):
            assert page.get(f"/assets/{dots}{SMALL.name}", "identity").content == SMALL.read_bytes()
    assert len(page.reads) == 6


def test_the_oldest_file_makes_room_even_for_empty_ones() -> None:
    files = [*(FRONTEND / "assets").glob("*.js")][:6]
    page = Page(max_bytes=2 * 3_000 + sum(sorted(file.stat().st_size for file in files)[-2:]))
    for file in files:
        page.get(f"/assets/{file.name}", "identity")
    page.reads.clear()
    page.get(f"/assets/{files[-1].name}", "identity")
    page.get(f"/assets/{files[0].name}", "identity")
    assert page.reads == [f"/assets/{files[0].name}"]
    page = Page(max_bytes=2_000)  # less than an empty file takes
    for _ in range(2):
        page.get(f"/assets/{SMALL.name}", "identity")
    assert len(page.reads) == 2


def test_visitors_at_once_count_a_file_once() -> None:
    page = Page(max_bytes=5 * LARGE.stat().st_size + 10_000)
    path, other = f"/assets/{LARGE.name}", f"/assets/{OTHER.name}"

    async def visit() -> None:
        transport = httpx.ASGITransport(app=page.client.app)
        headers = {"accept-encoding": "identity"}
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://a", headers=headers) as client,
            anyio.create_task_group() as visitors,
        ):
            for _ in range(5):
                visitors.start_soon(client.get, path)

    anyio.run(visit)
    assert len(page.reads) == 5
    for name in (other, path, other):
        page.get(name, "identity")
    assert page.reads[5:] == [other]


def test_a_font_is_kept_once_for_all_encodings() -> None:
    page = Page()
    font = next((FRONTEND / "assets").glob("*.woff2"))
    contents = {page.get(f"/assets/{font.name}", encoding).content for encoding in ("br", "gzip", "identity")}
    assert contents == {font.read_bytes()}
    assert len(page.reads) == 1
