"""The words of the page in each language, and which one a page gets."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from string import Formatter

import gradio as gr
import pytest
from gradio.context import LocalContext

from backends import BackendError, SpaceportError, Unreachable
from chat_page.conversations.feedback import Rating
from chat_page.documents import suggestions
from chat_page.rendering.answer_text import answer_text
from chat_page.rendering.documents import file_summary, note_html, waiting_text
from chat_page.sharing import export
from chat_page.strings import ENGLISH, Strings
from chat_page.translations import languages
from chat_page.translations.errors import error_text
from chat_page.translations.languages import ENGLISH_ONLY, LANGUAGES, choose_language, strings
from rag.answering.abstention.abstain import Abstention, AbstentionKind, Evidence
from rag.answering.turn import Turn
from rag.documents import Document
from rag.errors import DocumentError, FileError, FileProblem, ReaderStopped, StopReason
from rag.library.progress import FileSummary
from rag.library.quota import QuotaExceeded
from rag.reading.archives.limits import ArchiveLimits
from rag.reading.archives.listing import list_archive
from rag.reading.ocr.errors import PageFailed
from rag.reading.ocr.images import open_image
from rag.reading.signatures import check_signature
from rag.reading.web.fetch import fetch
from ui.admission.errors import Refused, TooSlow
from ui.admission.strings import Reason

OTHERS = [language for language in LANGUAGES if language != "en"]
NAMES = [field.name for field in fields(Strings)]
GERMAN = "de-AT,de;q=0.9,en;q=0.8"


@contextmanager
def page_in(accepted: str) -> Iterator[None]:
    """Work as in an event of a page whose browser sends this Accept-Language header."""
    token = LocalContext.request.set(gr.Request(headers={"accept-language": accepted}))
    try:
        yield
    finally:
        LocalContext.request.reset(token)


def kinds_of(error: type[SpaceportError]) -> Iterator[type[SpaceportError]]:
    yield error
    for kind in error.__subclasses__():
        yield from kinds_of(kind)


def placeholders(text: str) -> list[tuple[str, str]]:
    return sorted((name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_all_strings_with_the_placeholders_of_english(language: str) -> None:
    table = tomllib.loads((Path(languages.__file__).parent / f"{language}.toml").read_text())
    assert list(table) == [name for name in NAMES if name not in ENGLISH_ONLY]
    errors = table.pop("errors")
    for problem in FileProblem:
        for text, english in zip(errors.pop(problem.name), problem.value, strict=True):
            assert placeholders(text) == placeholders(english), problem
    assert set(errors) <= {kind.__name__ for kind in kinds_of(SpaceportError)}
    assert list(errors) == [name for name in LANGUAGES["de"].errors if name not in ENGLISH.errors]
    for name, text in table.items():
        assert set(placeholders(text)) == set(placeholders(getattr(ENGLISH, name))), name
        assert text and text.count("\n") == getattr(ENGLISH, name).count("\n"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_strings_can_stand_in_html(language: str) -> None:
    """Attributes have most of them without another escape."""
    for name in NAMES:
        if name != "errors":  # those are escaped
            assert not set('<>&"') & set(str(getattr(LANGUAGES[language], name))), name


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-DE", "de"),
        (GERMAN, "de"),
        ("fr;q=0.5", "fr"),
        ("zh-CN,zh;q=0.9", "zh-CN"),
        ("nl,de;q=0.9", "en"),  # Gradio's own words would be in Dutch, and what stands in the browser in English
        ("zh-TW", "en"),
        ("", "en"),
        ("*", "en"),
        (",;q=,-" * 1000, "en"),
    ],
)
def test_a_page_has_the_first_language_of_its_browser(accepted: str, language: str) -> None:
    assert choose_language(accepted) == language
    with page_in(accepted):
        assert strings() is LANGUAGES[language]
    assert strings() is ENGLISH


def test_numbers_are_written_as_in_the_language() -> None:
    def pages(language: str, count: int) -> str:
        words = LANGUAGES[language]
        return words.pluralize(words.page_count_one, words.page_count, pages=count)

    assert [pages("en", 1), pages("en", 1_200)] == ["1 page", "1,200 pages"]
    assert [pages("de", 1), pages("de", 1_200)] == ["1 Seite", "1.200 Seiten"]
    assert pages("fr", 1_200) == "1\u202f200 pages"
    assert LANGUAGES["de"].fill(LANGUAGES["de"].total_time, seconds=1.25) == "1,2 s"
    assert ENGLISH.fill(ENGLISH.not_mentioned, names="A.B, {c}") == "No document mentions A.B, {c}."


def test_what_the_server_writes_is_in_the_language_of_the_page() -> None:
    summary = FileSummary("bericht.pdf", 12, 34_000, 1_100, duplicate=False)
    with page_in(GERMAN):
        assert file_summary(summary) == "bericht.pdf: 12 Seiten, 34.000 Zeichen, 1.100 Textstellen"
        assert waiting_text(2) == "Wartet auf einen freien Platz (2 vor Ihnen)"
    assert file_summary(summary) == "bericht.pdf: 12 pages, 34,000 characters, 1,100 passages"
    assert note_html("<") == '<p class="sp-note">&lt;</p>'


def test_a_refusal_is_in_the_language_of_the_page_and_in_english_for_programs() -> None:
    evidence = Evidence(0.1, 0.2)
    abstention = Abstention(AbstentionKind.OTHER_LANGUAGE, evidence, languages=("English", "Dutch"))
    turn = Turn("Wie hoch ist der Turm?", finish_reason="abstained", abstention=abstention)
    with page_in(GERMAN):
        text = answer_text(turn, strings())
        assert text.startswith(
            "Die Dokumente beantworten diese Frage nicht. Sprache der Dokumente: Englisch oder Dutch."
        )
        assert "### Frage" in export.as_markdown([turn])
        answer = json.loads(export.as_json([turn]))["exchanges"][0]["answer"]
    assert answer.startswith("The documents do not answer this question. The documents are in English or Dutch.")


def test_errors_are_in_the_language_of_the_page() -> None:
    refused, slow = Refused(Reason.TOO_MANY_QUESTIONS, 1, 1_500), TooSlow(2.5)
    stopped, unreachable = ReaderStopped("a.pdf", StopReason.TIME), Unreachable("No server.", "Start it.")
    large = FileError(FileProblem.TOO_MANY_PAGES, name="{a}.pdf", pages=4_000, limit=2_000)
    others = (BackendError("No."), QuotaExceeded("You have 50.", "Remove one."), DocumentError("A tear.", "Mend it."))
    for error in (refused, slow, stopped, unreachable, large, *others):
        assert error_text(error) == str(error)
    with page_in("de"):
        assert error_text(refused) == (
            "Diese Seite beantwortet bis zu 1.500 Fragen pro Person und Minute. "
            "Versuchen Sie es in einer Sekunde noch einmal."
        )
        assert "2,5 Sekunden" in error_text(slow)
        assert error_text(stopped).startswith("Das Lesen von „a.pdf“ dauert länger")
        assert error_text(large).startswith("„{a}.pdf“ hat 4.000 Seiten; erlaubt sind 2.000. Teilen Sie")
        for error, start in zip(
            (unreachable, *others), ("Der Server", "Das Modell", "Für dieses", "Mit einem"), strict=True
        ):
            assert error_text(error).startswith(start)
            assert error_text(error).endswith(f" {error}")


def error_of(work: Callable[[], object]) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        work()
    return caught.value


def test_what_visitors_do_wrong_with_files_and_addresses_is_explained_in_the_language_of_the_page(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    errors = [
        error_of(lambda: check_signature(b"%PDF-1.7", ".txt", "a.txt")),
        error_of(lambda: check_signature(encrypted, ".docx", "a.docx")),
        error_of(lambda: check_signature(b"words", ".docx", "a.docx")),
        error_of(lambda: list_archive(tmp_path / "a.zip", name="a.zip", limits=ArchiveLimits())),
        error_of(lambda: open_image(b"words", "a.png")),
        error_of(lambda: fetch("https://example.com/a")),
        PageFailed("a.pdf", 3),
    ]
    with page_in("de"):
        texts = [error_text(error) for error in errors]
    assert texts[0] == "„a.txt“ endet auf .txt, enthält aber PDF. Benennen Sie die Datei in .pdf um, wenn das stimmt."
    assert texts[5].startswith("Webseiten werden hier nicht gelesen.")
    assert texts[6].startswith("„a.pdf“ ist gescannt, und der Text der Seite 3 lässt sich nicht erkennen.")
    for error, text in zip(errors, texts, strict=True):
        assert isinstance(error, FileError)
        assert str(error) not in text, "the page would show the English words"


def test_the_reason_for_a_thumb_is_kept_in_english() -> None:
    for words in LANGUAGES.values():
        assert Rating.from_event(words.reason_source) == Rating("dislike", ENGLISH.reason_source)


def test_a_document_is_asked_in_its_own_language() -> None:
    german = "# Haus\n\n## Küche\n\n" + 4 * "Der Herd steht in der Ecke, und die Pfannen hängen über dem Tisch. "
    english = "# House\n\n## Kitchen\n\n" + 4 * "The stove is in the corner, and the pans hang above the table. "
    with page_in("fr"):
        assert suggestions.questions([Document("haus.md", "haus.md", german, (), "text/markdown")]) == (
            "Was steht in haus.md über “Küche”?",
        )
        assert suggestions.questions([Document("house.md", "house.md", english, (), "text/markdown")]) == (
            "What does house.md say about “Kitchen”?",
        )
