"""An HTML page as a static Space: what is sent, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from chat_page.sharing.web_page import as_html
from rag.answering.turn import Turn
from tests.publish.fake_hub import Hub, Space

Publish = Callable[..., int]
REPO = "somebody/answers"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A conversation as the chat's button writes it."""
    file = tmp_path / "conversation.html"
    file.write_text(as_html([Turn('What is "yes": a word?', "It is.", finish_reason="stop")]), encoding="utf-8")
    return file


@pytest.fixture
def send(publish: Publish, page: Path) -> Callable[..., int]:
    def run(*arguments: str, file: Path = page) -> int:
        return publish("--static", str(file), "--repo", REPO, *arguments)

    return run


def test_a_page_is_a_static_space_of_two_files(hub: Hub, send: Publish, page: Path) -> None:
    assert send() == 0
    assert not hub.spaces
    assert send("--apply", "--public-documents") == 0
    space = hub.spaces[REPO]
    files = space.head.files
    assert space.sdk == "static"
    assert files["index.html"] == page.read_bytes()
    header = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert header["title"] == 'What is "yes": a word?'
    assert header["sdk"] == "static"
    commit = space.head.oid
    assert send("--apply", "--public-documents") == 0
    assert space.head.oid == commit


def test_what_everybody_could_read_needs_a_yes(hub: Hub, send: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert send("--apply") == 1
    assert "--public-documents" in capsys.readouterr().err
    assert not hub.spaces
    assert send("--apply", "--private") == 0
    assert hub.spaces[REPO].private
    assert send("--apply") == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"# A heading", "isn't an HTML page"),
        (b"", "isn't an HTML page"),
        (b"<html>\xff\xfe</html>", "can't be read as text"),
        (b"<html>" + b"x" * 10_000_001, "10.0 MB"),
        (b"<html><p>AKIA" + b"Q3EGRIZ7XJ5TVWKB" + b"</p></html>", "must not be published"),
    ],
)
def test_a_file_that_is_no_page_is_refused(
    hub: Hub, send: Publish, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    file = tmp_path / "other.html"
    file.write_bytes(content)
    assert send("--apply", "--public-documents", file=file) == 1
    assert words in capsys.readouterr().err
    assert not hub.spaces


@pytest.mark.parametrize("arguments", [("--documents", "."), ("--hardware", "cpu-basic"), ("--rollback",)])
def test_options_of_an_app_are_refused(
    send: Publish, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert send(*arguments) == 1
    assert f"A static Space has no {arguments[0]}." in capsys.readouterr().err


def test_a_missing_file_and_a_missing_name(publish: Publish, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish("--static", "missing.html", "--repo", REPO) == 1
    assert "can't be read" in capsys.readouterr().err
    assert publish("--static", str(page)) == 1
    assert "--repo OWNER/NAME" in capsys.readouterr().err


def test_another_space_is_never_replaced(hub: Hub, send: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert send("--apply", "--public-documents") == 0
    other: Space = hub.spaces[REPO]
    other.head.files["app.py"] = b"print()"
    assert send("--apply", "--public-documents", "--yes") == 1
    assert "isn't a page: it has app.py" in capsys.readouterr().err
