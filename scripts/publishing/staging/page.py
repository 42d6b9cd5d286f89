"""What a Space with documents says about itself: made from its library, or read from a file, and put into the Space."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from backends import NotConfigured
from chat_page.documents.suggestions import library_questions
from chat_page.page_text import FILE, MAX_DESCRIPTION, MAX_EXAMPLE, MAX_TITLE, PageText, read_page_text
from publishing.errors import StageError
from publishing.staging import front_matter
from publishing.staging.documents import Documents
from publishing.staging.preview_picture import draw_preview
from publishing.staging.stage import StagedSpace

PICTURE = "preview.png"
SAMPLES = "corpus/"  # what the page answers from without a library


@dataclass(frozen=True, slots=True)
class Page:
    """The texts of a page, and the picture of its link previews as a PNG."""

    text: PageText
    picture: bytes | None

    def lines(self) -> list[str]:
        """Return the lines of a plan."""
        picture = "" if self.picture else "\n    (no picture for link previews: no font here has all its letters)"
        listing = "".join(f"\n    {line}" for line in self.text.toml.splitlines())
        return [f"  its page; to change this, save it in a file and pass --page FILE:{listing}{picture}"]


def make_page(documents: Documents) -> Page:
    """Return the page of a library: its name as the title, questions about its headings."""
    manifest = documents.manifest
    title = _shortened(_readable(manifest.name), MAX_TITLE)
    count = f"{manifest.documents:,} document{'' if manifest.documents == 1 else 's'}"
    description = f"Answers from {count}, with {'its' if manifest.documents == 1 else 'their'} exact words"
    questions = tuple(_shortened(text, MAX_EXAMPLE) for text in library_questions(documents.read()))
    return _page(PageText(title, description[:MAX_DESCRIPTION], questions))


def read_page(file: Path) -> Page:
    """Return the page of a file; its picture is beside it, or drawn if it names none. Raises `StageError`."""
    try:
        text = read_page_text(file)
    except NotConfigured as error:
        raise StageError(error.message, error.remedy) from error
    if text is None:
        raise StageError(f"There is no file {file}.", "Make a plan without --page, and save the lines that it shows.")
    if not text.picture:
        return _page(replace(text, library="", library_commit=""))
    try:
        picture = (file.parent / text.picture).read_bytes()
    except OSError as error:
        raise StageError(f"{file}: the picture can't be read ({error}).", "Name a PNG beside this file.") from error
    if not picture.startswith(b"\x89PNG"):
        raise StageError(f"{file}: {text.picture} isn't a PNG.", "Save it as one, 1200 × 630 pixels.")
    return Page(replace(text, picture="", library="", library_commit=""), picture)


def add_page(space: StagedSpace, page: Page) -> StagedSpace:
    """Return the Space with these texts in the place of ours, and without our samples and their picture."""
    files = {name: path for name, path in space.files.items() if name != PICTURE and not name.startswith(SAMPLES)}
    shutil.rmtree(space.folder / SAMPLES, ignore_errors=True)
    (space.folder / PICTURE).unlink(missing_ok=True)
    readme = space.files["README.md"]
    text = front_matter.with_page(readme.read_text(encoding="utf-8"), page.text.title, page.text.description)
    readme.write_text(text, encoding="utf-8")
    new = {FILE: page.text.toml.encode()} | ({PICTURE: page.picture} if page.picture else {})
    for name, data in new.items():
        (space.folder / name).write_bytes(data)
        files[name] = space.folder / name
    question = page.text.examples[0] if page.text.examples else ""
    return replace(space, files=dict(sorted(files.items())), front_matter=front_matter.parse(text), question=question)


def add_thumbnail(space: StagedSpace, address: str) -> StagedSpace:
    """Return the Space with its picture, if it has one, in its front matter; `address` is that of its repository."""
    if PICTURE not in space.files:
        return space
    readme = space.files["README.md"]
    picture = f"{address}/resolve/main/{PICTURE}"
    text = front_matter.with_thumbnail(readme.read_text(encoding="utf-8"), picture)
    readme.write_text(text, encoding="utf-8")
    return replace(space, front_matter=front_matter.parse(text))


def set_library_commit(space: StagedSpace, commit: str) -> None:
    """Write the commit of the library's dataset into the staged page.toml."""
    file = space.files[FILE]
    text = read_page_text(file)
    assert text  # noqa: S101  # `add_page` wrote it
    file.write_text(replace(text, library_commit=commit).toml, encoding="utf-8")


def _page(text: PageText) -> Page:
    return Page(text, draw_preview(text.title, text.description, text.examples))


def _readable(name: str) -> str:
    """Return the name of a folder as a title: "staff-handbook" as "Staff handbook"."""
    text = _one_line(name) or "Documents"
    if " " in text or any(each.isupper() for each in text):
        return text
    words = re.sub(r"[-_]+", " ", text).strip() or text
    return words[0].upper() + words[1:]


def _shortened(text: str, limit: int) -> str:
    text = _one_line(text)
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
