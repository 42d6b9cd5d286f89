"""The texts of a Space that is published with documents: made from the library, edited, and shown by its page."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from backends import NotConfigured
from chat_page.page_text import PageText, read_page_text
from publishing.errors import StageError
from publishing.staging import front_matter
from publishing.staging.documents import add_documents, open_documents
from publishing.staging.page import add_page, make_page, read_page
from publishing.staging.preview_picture import draw_preview
from publishing.staging.stage import StagedSpace, stage
from tests.conftest import ROOT
from tests.helpers.staged import running_staged
from tests.publish.fake_hub import Hub

Publish = Callable[..., int]
REPO = "somebody/handbook"
QUESTION = "What does leave.md say about “Parental leave”?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("documents") / "staff-handbook"
    place.mkdir()
    text = "Parents of a new child get sixteen weeks of paid leave, which they may share."
    (place / "leave.md").write_text(f"# Leave\n\nTalk to your team first.\n\n## Parental leave\n\n{text}\n")
    (place / "a.txt").write_text("The office opens at eight.")
    return place


@pytest.fixture(scope="module")
def staged(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> StagedSpace:
    """The chat with the documents, as it would be sent."""
    place = tmp_path_factory.mktemp("staged")
    documents = open_documents(folder, place / "library")
    space = stage(ROOT, "chat_rag", place / "chat_rag")
    return add_page(add_documents(space, documents), make_page(documents))


def test_title_description_and_questions_are_made_from_the_library(staged: StagedSpace) -> None:
    text = read_page_text(staged.folder / "page.toml")
    assert text == PageText("Staff handbook", "Answers from 2 documents, with their exact words", (QUESTION,))
    assert staged.front_matter["title"] == "Staff handbook"
    assert staged.front_matter["short_description"] == text.description
    assert not front_matter.check(staged.front_matter, {"app.py"}, gradio=None, zero_gpu=False)
    readme = staged.files["README.md"].read_text()
    assert "\n# Staff handbook\n" in readme
    assert "# Chat with documents" not in readme
    assert staged.question == QUESTION


def test_nothing_of_the_samples_is_sent(staged: StagedSpace) -> None:
    assert not [place for place in staged.files if place.startswith("corpus/")]
    assert set(staged.files) == {
        path.relative_to(staged.folder).as_posix() for path in staged.folder.rglob("*") if path.is_file()
    }
    picture = staged.files["preview.png"].read_bytes()
    assert picture != (ROOT / "spaces/chat_rag/preview.png").read_bytes()
    assert Image.open(io.BytesIO(picture)).size == (1200, 630)


def test_the_page_shows_the_librarys_texts(staged: StagedSpace) -> None:
    with running_staged(staged, Path(sys.executable)) as url:
        page = httpx2.get(url).text
        config = httpx2.get(f"{url}/config").text
        picture = httpx2.get(f"{url}/static/preview.png").content
    assert '"title":"Staff handbook"' in config
    assert '<meta property="og:title" content="Staff handbook">' in page
    assert 'content="Answers from 2 documents, with their exact words"' in page
    for sample in ("Chat with documents", "exclusion zone", "viewing deck", "Arctic terns"):
        assert sample not in page
        assert sample not in config
    assert "What does leave.md say about" in config
    assert "<h1>Staff handbook</h1>" in config.replace("\\u003c", "<").replace("\\u003e", ">")
    assert picture == staged.files["preview.png"].read_bytes()


def test_the_texts_can_be_edited(
    hub: Hub, publish: Publish, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("chat_rag", "--documents", str(folder), "--repo", REPO)
    assert publish(*command) == 0
    plan = capsys.readouterr().out
    assert 'title = "Staff handbook"' in plan
    assert QUESTION in plan
    file = tmp_path / "page.toml"
    text = PageText("Our “handbook” \\ 手册", "Ask us", ("How long is the leave?", "Who’s there?"))
    file.write_text(text.toml, encoding="utf-8")
    assert publish(*command, "--page", str(file), "--apply", "--public-documents") == 0
    sent = hub.spaces[REPO].head.files
    assert sent["page.toml"].decode() == text.toml
    assert front_matter.parse(sent["README.md"].decode())["title"] == text.title
    assert publish(*command, "--page", str(file), "--apply", "--public-documents") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_picture_of_ones_own(tmp_path: Path) -> None:
    picture = draw_preview("Title", "Description", ())
    assert picture
    (tmp_path / "own.png").write_bytes(picture)
    (tmp_path / "page.toml").write_text('title = "T"\ndescription = "D"\npicture = "own.png"\n')
    page = read_page(tmp_path / "page.toml")
    assert page.picture == picture
    assert asdict(page.text)["picture"] == ""
    (tmp_path / "own.png").write_bytes(b"GIF")
    with pytest.raises(StageError, match=r"own\.png isn't a PNG"):
        read_page(tmp_path / "page.toml")
    (tmp_path / "own.png").unlink()
    with pytest.raises(StageError, match="the picture can't be read"):
        read_page(tmp_path / "page.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('title = "T"', "description must be a line of 1 to 60 characters"),
        (f'title = "T"\ndescription = "{"x" * 61}"', "description must be a line"),
        ('title = ""\ndescription = "D"', "title must be a line"),
        ('title = "T\\nU"\ndescription = "D"', "title must be a line"),
        ('title = 5\ndescription = "D"', "title must be a line"),
        ('title = "T"\ndescription = "D"\nexamples = "Why?"', "examples must be up to 6 lines"),
        ('title = "T"\ndescription = "D"\nexamples = [5]', "examples must be up to 6 lines"),
        ('title = "T"\ndescription = "D"\ncolour = "red"', "colour isn't a setting"),
        ("title = ", "can't be read"),
    ],
)
def test_texts_that_are_wrong_are_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "page.toml").write_text(text)
    with pytest.raises(NotConfigured, match=problem):
        read_page_text(tmp_path / "page.toml")
    with pytest.raises(StageError, match=problem):
        read_page(tmp_path / "page.toml")


def test_a_page_file_needs_documents_and_has_to_exist(
    publish: Publish, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish("chat_rag", "--page", "page.toml") == 1
    assert "Add --documents" in capsys.readouterr().err
    assert publish("chat_rag", "--documents", str(folder), "--page", "nothing.toml") == 1
    assert "There is no file" in capsys.readouterr().err


def test_a_picture_needs_all_letters() -> None:
    assert draw_preview("Handbuch für Größen", "Łódź", ("Как дела?",))
    assert draw_preview("\U000f0000", "private use", ()) is None
    long = draw_preview("word " * 60, "x" * 60, ("y" * 200, "z " * 100))
    assert long
    assert Image.open(io.BytesIO(long)).size == (1200, 630)
