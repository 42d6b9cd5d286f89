"""Texts that slow down a pattern or a parser: the CPU time grows no faster than the text."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from backends import Message
from backends.http.failures.errors import not_an_api
from backends.kinds.kubernetes.errors import unwrap_handshake
from chat_page.answers.pacing import GrowthFilter
from chat_page.conversations.conversation import Conversation
from chat_page.rendering.messages import conversation_messages
from chat_page.sharing import export, share
from chat_page.sources.csv_preview import MAX_COLUMNS
from chat_page.sources.preview import preview_html
from rag.answering.citations.cite import Citer
from rag.answering.citations.markers import Marker
from rag.answering.evidence.units.split import find_units
from rag.answering.prompts.prompt import quote
from rag.answering.prompts.rewrite import expand_by_rule
from rag.answering.repetition import RepetitionDetector
from rag.answering.turn import Turn
from rag.answering.verification.verifier import Verifier
from rag.documents import Cell, Document, Page, Passage, Table
from rag.errors import DocumentError
from rag.reading.parse import read_document
from tests.rag import make_documents as make
from tests.security.hostile_texts import GENERAL, hostile_texts
from tests.security.linear_time import SIZES, assert_linear
from tests.security.patterns import PACKAGES, Found, built_at_run_time, literal_patterns, package_patterns

# There are 30,000 pairs of a pattern and a text. Where time grows with the square, 10,000 characters take 0.1 s.
PATTERN_SIZES = (1_000, 10_000)
MARKUP = ("`", "~~~", "```\n", "``` ", "![", "<", "](", "$$", "&#", "[1]", "%%%", "!\n", " ", "\n", "- ", "a ", "1.")


def repeated(unit: str, characters: int) -> str:
    return unit * (characters // len(unit))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_patterns_of_a_package_read_hostile_repetitions_in_linear_time(package: str) -> None:
    for pattern in package_patterns(package):
        assert_pattern_is_linear(pattern)


def test_patterns_inside_functions_and_scripts_read_hostile_repetitions_in_linear_time() -> None:
    for pattern in literal_patterns():
        assert_pattern_is_linear(pattern)


def assert_pattern_is_linear(found: Found) -> None:
    for text in hostile_texts(found.pattern):
        what = f"{found.place}, {found.pattern.pattern!r}, on {text}"
        assert_linear(
            lambda size, text=text: found.use(text.of(size)),  # type: ignore[misc]
            what,
            sizes=PATTERN_SIZES,
            in_between=True,
        )


def test_all_patterns_are_found() -> None:
    places = {found.place for package in ("ui", "rag") for found in package_patterns(package)}
    assert {
        "ui.markdown._FENCE",
        "rag.reading.formats.pdf.hyphens._HYPHENATED",
        "rag.answering.citations.markers._MARKER",
    } <= places
    literals = {found.place.partition(":")[0] for found in literal_patterns()}
    assert {"backends/kinds/ollama/window.py", "spaces/dashboard/dashboard_pages/layout.py"} <= literals


def test_no_pattern_is_put_together_inside_a_function_where_this_test_cannot_find_it() -> None:
    modules = {place.partition(":")[0] for place in built_at_run_time()}
    # The first has one alternative for each character of a secret; test_publisher_secrets runs the rules of the second.
    # The third has a name of the question as it is, of up to 60 characters, between checks of two characters.
    # The fourth has a refused word of the operator as it is, between checks of one character.
    # The fifth has three to five letters as initials of words; test_question_cost gives it hostile texts.
    # The last reads its patterns from a file of ours, and uses them on 1,000 characters of a sentence at most.
    mentions = "spaces/chat_rag/rag/answering/evidence/question_analysis/mentions.py"
    refusals = "spaces/chat_rag/rag/scoring/texts/refusals.py"
    words = "backends/diffusion/limits.py"
    initials = "spaces/chat_rag/rag/answering/evidence/question_analysis/abbreviations.py"
    assert modules == {
        "backends/http/endpoint.py",
        "backends/secret_rules/rules.py",
        mentions,
        words,
        initials,
        refusals,
    }


# A visitor's question, a conversation, a link.


@pytest.mark.parametrize("unit", MARKUP)
def test_a_question_of_repeated_markup_is_shown_exported_and_shared_in_linear_time(unit: str) -> None:
    def work(size: int) -> None:
        turns = [Turn(repeated(unit, size), f"{repeated(unit, size)}x")]
        conversation_messages(Conversation(tuple(turns)))
        export.as_markdown(turns)
        export.as_json(turns)
        share.link_fragment([Turn(repeated(unit, min(size, 20_000)), "Yes.")])

    assert_linear(work)


@pytest.mark.parametrize("unit", MARKUP)
def test_a_link_with_an_answer_of_repeated_markup_opens_in_linear_time(unit: str) -> None:
    fragments = {size: share.link_fragment([Turn("Why?", repeated(unit, size))]) for size in SIZES}

    def work(size: int) -> None:
        conversation_messages(Conversation(share.open_turns(fragments[size])))

    assert_linear(work)


@pytest.mark.parametrize("unit", [*GENERAL, "Aa ", "a [1] "])
def test_a_follow_up_to_an_answer_of_repetitions_is_searched_in_linear_time(unit: str) -> None:
    def work(size: int) -> None:
        history = [Message("user", "what about it?"), Message("assistant", repeated(unit, size))]
        expand_by_rule("And why?", history)

    assert_linear(work)


def test_a_follow_up_to_thousands_of_names_is_searched_in_linear_time() -> None:
    def work(size: int) -> None:
        words = " ".join(f"w{number}" for number in range(size // 8))
        answer = "".join(f"of Name{number} [1]. " for number in range(size // 8))
        expand_by_rule("And?", [Message("user", words), Message("assistant", answer)])

    assert_linear(work)


# A model's answer.


@pytest.mark.parametrize("unit", [*GENERAL, "[1] ", "x. ", "word ", "a. [1] ", "[1](", "。"])
def test_an_answer_of_repetitions_is_cited_in_linear_time(unit: str) -> None:
    text = "The kettle holds 1.7 litres. " * 100
    passages = [Passage(1, "d", "a.txt", None, "", 0, len(text), text, 1.0, None, None)]
    documents = {"d": Document("d", "a.txt", text, (), "text/plain")}

    def work(size: int) -> None:
        citer, detector = Citer(passages, Verifier(passages, documents)), RepetitionDetector()
        answer = repeated(unit, size)
        for start in range(0, len(answer), 4):
            citer.feed(answer[start : start + 4])
            detector.add(answer[start : start + 4])
        citer.flush()

    assert_linear(work, sizes=(1_000, 10_000))


@pytest.mark.parametrize("unit", ["no gates, and not quays, ", "harbour 1 quay ", "gate, ", "not "])
def test_a_long_sentence_is_checked_against_a_long_one_in_milliseconds(unit: str) -> None:
    def work(size: int) -> None:
        text = "".join(f"{unit}w{at} " for at in range(size // len(unit)))
        passage = Passage(1, "d", "a.txt", None, "", 0, len(text), text, 1.0, None, None)
        verifier = Verifier([passage], {"d": Document("d", "a.txt", text, (), "text/plain")})
        verifier.check(f"The harbour {text[:900]}.")

    assert_linear(work, sizes=(1_000, 10_000))


def test_an_answer_with_thousands_of_markers_is_displayed_in_linear_time() -> None:
    def work(size: int) -> None:
        markers = tuple(Marker(start, 1) for start in range(0, size, 3))
        conversation_messages(Conversation((Turn("Why?", "[1]" * (size // 3), markers=markers),)))

    assert_linear(work)


def test_the_updates_of_a_long_answer_together_are_linear_in_its_length() -> None:
    """Counted, not measured: each update shows the whole text so far."""

    def shown_characters(size: int) -> int:
        growth = GrowthFilter()
        return sum(count for count in range(0, size, 10) if growth.is_due("", "x" * count))

    assert shown_characters(4_000) == sum(range(0, 4_000, 10))  # an ordinary answer is shown at each update
    assert shown_characters(160_000) < 2.6 * shown_characters(80_000)


@pytest.mark.parametrize("unit", ["<", "<title>", "<title", "<a", "Handshake status 1 ", "{"])
def test_a_gateway_answer_of_repeated_tags_is_quoted_in_linear_time(unit: str) -> None:
    from backends.http.endpoint import Endpoint

    endpoint = Endpoint("http://127.0.0.1:9/v1", name="Gateway")
    assert_linear(lambda size: not_an_api(endpoint, repeated(unit, size)))
    assert_linear(lambda size: unwrap_handshake(None, None, repeated(unit, size)))


# A document.


def table_document(rows: Sequence[Sequence[str]]) -> Document:
    """Return a document that is one table."""
    cells, text = [], ""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            cells.append(Cell(row, column, len(text), len(text) + len(value)))
            text += f"{value} "
    # What is known about a document is kept by its id.
    name = sha256(text.encode()).hexdigest()[:16]
    return Document(name, "a.csv", text, (Page(1, 0, len(text)),), "text/csv", (Table(0, len(text), tuple(cells)),))


@pytest.mark.parametrize(
    ("first", "last"),
    [(["label", "word"], ["total", "7"]), (["label", "2023"], ["total", "7"]), (["total", "7"], ["2023", "2023"])],
    ids=["words above a figure", "periods above a figure", "periods below a figure"],
)
@pytest.mark.parametrize("share", [1, 2])
def test_the_cells_of_a_long_table_have_their_labels_in_linear_time(
    first: list[str], last: list[str], share: int
) -> None:
    documents = {
        size: table_document([first] * (size // 10) + [last] * (size // 10 if share == 1 else 1)) for size in SIZES
    }

    def work(size: int) -> None:
        document = documents[size]
        passage = Passage(1, document.id, "a.csv", 1, "", 0, 100, document.text[:100], 1.0, None, None)
        assert find_units([passage], {document.id: document})

    assert_linear(work)


def test_a_long_table_is_read_once_for_all_its_passages() -> None:
    def work(size: int) -> None:
        document = table_document([["label", "word"], *[["total", "7"]] * 500])
        passages = [
            Passage(number, document.id, "a.csv", 1, "", 9 * number, 9 * number + 9, "", 1.0, None, None)
            for number in range(size // 40)
        ]
        calls: Counter[str] = Counter()
        sys.setprofile(lambda frame, event, argument: calls.update([frame.f_code.co_name] if event == "call" else []))
        try:
            find_units(passages, {document.id: document})
        finally:
            sys.setprofile(None)
        assert calls["_is_header"] <= 2 * 501

    work(400)
    work(4_000)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str, bytes], Document | None]:
    def read(name: str, data: bytes) -> Document | None:
        path = tmp_path / name
        path.write_bytes(data)
        try:
            return read_document(path)
        except DocumentError:
            return None

    read("first.html", b"<p>Import the libraries before the clock runs.")
    return read


@pytest.mark.parametrize("unit", [*GENERAL, " \n ", "\n \n"])
def test_a_passage_of_repetitions_is_quoted_in_linear_time(unit: str) -> None:
    assert_linear(lambda size: quote(f"a{repeated(unit, size)}a"))


def test_a_pdf_with_a_long_word_and_a_hyphen_is_read_in_linear_time(read: Any) -> None:
    assert_pdf_is_linear(read, lambda size: [(9, 700, "exam-"), (9, 684, "ple"), (9, 600, "a" * size)])


def test_a_pdf_with_a_row_of_many_digits_is_read_in_linear_time(read: Any) -> None:
    assert_pdf_is_linear(read, lambda size: [(9, height, "1" * size + "x") for height in (700, 692, 660, 628)])


def assert_pdf_is_linear(read: Any, strings: Callable[[int], list[tuple[float, float, str]]]) -> None:
    """Read pages that are wide enough: what is outside of a page isn't read."""
    files = {size: make.pdf_strings(*strings(size), width=8 * size) for size in SIZES}
    assert len(read("a.pdf", files[SIZES[0]]).text) > SIZES[0]
    assert_linear(lambda size: read("a.pdf", files[size]))


@pytest.mark.parametrize("unit", ["![", "![](data:", " ", "\n", "`", "[", "a "])
def test_a_word_file_of_repeated_text_is_read_in_linear_time(read: Any, unit: str) -> None:
    files = {size: make.packed_docx(make.paragraph(f"a{repeated(unit, size)}b")) for size in SIZES}
    assert_linear(lambda size: read("a.docx", files[size]))


@pytest.mark.parametrize(
    "page",
    [
        ("<p>a", " ", "b"),
        ("<p>a", "\n", "b"),
        ("<p>a", "\t\n ", "b"),
        ("<p>a", "<b> </b>", "b"),
        ("<pre>a", "\n", "b</pre>"),
        ("<pre>a", " ", "b</pre>"),
        ("<pre>a", " \n", "b</pre>"),
        ("<pre>a", "<br>", "b</pre>"),
        ("<pre>a", "<b> </b>", "b</pre>"),
        ("<pre>a", "<blockquote></blockquote>", "b</pre>"),
        ("", "<ol><li>", "x"),
        ("", "<div>", "x"),
        ("<ol>", "<li>x", "</ol>"),
        ("<ul>", "<li>x", "</ul>"),
        ("<table><thead>", "<tr><td>x", "</table>"),
        ("<table>", "<tr><td>x", "</table>"),
        ("<table><tr>", "<td>x", "</table>"),
        ("<dl>", "<dt>x<dd>y", "</dl>"),
        ("<p>", "<p>", "x"),
        ("<p>", "<a href=x>", "x"),
        ("<p>", "&amp;", "x"),
        ("<p>", "<", "x"),
        ("<p>", "<!--", "x"),
        ("<p>", "<code>x</code> ", "x"),
        ("", "<h1>x</h1>", "x"),
        ("<p>", "<img alt='x'>", "x"),
    ],
    ids=lambda page: "".join(page),
)
def test_a_page_of_repeated_html_is_read_in_linear_time(read: Any, page: tuple[str, str, str]) -> None:
    start, unit, end = page
    pages = {size: f"{start}{repeated(unit, size)}{end}".encode() for size in SIZES}
    assert_linear(lambda size: read("a.html", pages[size]))


@pytest.mark.parametrize("unit", ["a", " ", "{a}", r"\par ", r"\'41", r"\u65?", r"\intbl a\par ", r"\v a\v0 "])
def test_rich_text_of_repeated_words_is_read_in_linear_time(read: Any, unit: str) -> None:
    files = {size: rb"{\rtf1 a" + repeated(unit, size).encode() + b"b}" for size in SIZES}
    assert_linear(lambda size: read("a.rtf", files[size]))


def test_white_space_lists_and_preformatted_text_keep_their_content(read: Any) -> None:
    items = "".join(f"<li>item {number}" for number in range(250))
    lines = f"<pre>\n  if a:\n      b{' ' * 50}c{chr(10) * 9}d\n</pre>"
    document = read("a.html", f"<p>one{' ' * 9_000}two\n\n\nthree</p><ol start=5>{items}</ol>{lines}".encode())
    assert "one two three" in document.text
    assert "5. item 0\n6. item 1\n" in document.text
    assert "254. item 249" in document.text
    assert document.text.count("item ") == 250
    assert f"```\n  if a:\n      b{' ' * 50}c\n\nd\n```" in document.text


def test_a_table_of_thousands_of_columns_is_previewed_in_linear_time() -> None:
    documents = {columns: wide_table(columns) for columns in SIZES}

    def work(columns: int) -> str:
        document = documents[columns]
        start = document.text.index(f"c{columns // 2}: ")
        text = document.text[start : start + 500]
        passage = Passage(1, document.id, document.name, None, "", start, start + 500, text, 1.0, None, None)
        return preview_html(document, passage, (0, 200), None)

    html = work(4_000)
    assert ">c2000</th>" in html
    assert html.count('scope="col"') <= MAX_COLUMNS + 1
    assert "more columns" in html
    assert_linear(work)


def wide_table(columns: int) -> Document:
    line = "; ".join(f"c{column}: v{column}" for column in range(columns))
    return Document("id", "wide.csv", "\n".join([line] * 3), (), "text/csv")
