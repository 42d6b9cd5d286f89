"""What other sites show of a link to the page: they read its HTML, and run no script."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.conftest import ROOT
from tests.helpers.apps import App
from ui.link_preview import HEIGHT, PICTURE_PATH, WIDTH, LinkPreview

TAG = re.compile(r'<meta (?:property|name)="((?:og|twitter):[^"]*)"\s+content="([^"]*)"')
PICTURE = ROOT / "spaces" / "chat_rag" / "preview.png"
COUNT_FRAMES = """
window.drawn = 0;
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => ask((time) => (window.drawn++, callback(time)));
"""
FRAMES_A_SECOND = """new Promise((resolve) => {
  const start = performance.now(), before = window.drawn;
  setTimeout(() => resolve((window.drawn - before) / (performance.now() - start) * 1000), 1000);
})"""


def test_the_page_has_its_own_tags_and_picture(app: App) -> None:
    page = httpx2.get(app.url)
    assert dict(TAG.findall(page.text)) == {
        "og:type": "website",
        "og:title": "Chat with documents",
        "og:description": "Answers with sources you can check",
    }
    picture = httpx2.get(f"{app.url}{PICTURE_PATH}")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"  # the guard's headers
    assert picture.content == PICTURE.read_bytes()


@pytest.mark.parametrize("space", sorted(path.parent.name for path in (ROOT / "spaces").glob("*/app.py")))
def test_each_space_has_a_picture_of_its_own(space: str) -> None:
    picture = (ROOT / "spaces" / space / "preview.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert [int.from_bytes(picture[start : start + 4]) for start in (16, 20)] == [WIDTH, HEIGHT]
    assert len(picture) < 300_000  # some readers load no larger one


def page(body: str, picture: Path | None = PICTURE) -> TestClient:
    routes = [Route("/", lambda request: HTMLResponse(body)), Route("/other", lambda request: Response(body))]
    preview = Middleware(LinkPreview, 'A "title"', "What it is", picture)
    return TestClient(Starlette(routes=routes, middleware=[preview]))


def test_a_space_has_the_address_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "someone-chat.hf.space")
    body = (
        '<head><meta charset="utf-8"><meta property="og:title" content="Gradio">\n<meta\n name="twitter:card"></head>é'
    )
    response = page(body).get("/")
    assert response.text.startswith(
        '<head><meta charset="utf-8"><meta name="twitter:card" content="summary_large_image">'
    )
    assert response.text.endswith("</head>é")
    assert int(response.headers["content-length"]) == len(response.content)
    tags = dict(TAG.findall(response.text))
    assert tags["og:title"] == "A &quot;title&quot;"
    assert tags["og:image"] == f"https://someone-chat.hf.space{PICTURE_PATH}"
    assert page(body).get("/other").text == body
    assert page(body, None).get(PICTURE_PATH).status_code == 404
    assert "og:image" not in page(body, None).get("/").text
    assert page("<p>No tags.</p>").get("/").text == "<p>No tags.</p>"


def test_an_open_page_asks_for_few_frames(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.add_init_script(COUNT_FRAMES)
    page.goto(app.url)
    page.wait_for_selector("#question textarea")
    page.wait_for_timeout(3000)
    # The timer of the loader asks for 10 a second; without the script for 60. On a busy machine they are fewer.
    assert page.evaluate(FRAMES_A_SECOND) < 45  # 60 and more without the script
