"""Questions with the exact places of their answers: `spans`, `tables` and `xquad` of a data directory."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.documents import Document
from rag.library.library import Library
from rag.reading.markdown.find_tables import find_markdown_tables
from rag.search.embedding.embedders import Embedder

Span = tuple[int, int]
Place = tuple[int, int]  # a cell's row and column


@dataclass(frozen=True)
class Case:
    """A question to the library `library`, and its answer.

    `spans` are characters of the document `document`; `cells` are the places of a table question's answer. `years_only`
    is true if the answer is the header of a column ("In which year was it larger?"), whose cells are all in `cells`.
    """

    corpus: str
    library: str
    question: str
    document: str
    spans: tuple[Span, ...]
    cells: tuple[Place, ...] = ()
    years_only: bool = False
    held_out: bool = False


@dataclass(frozen=True)
class Corpus:
    """The texts of the libraries of a corpus, by library and name, and its questions."""

    name: str
    libraries: dict[str, dict[str, str]]
    cases: tuple[Case, ...]


def read_corpora(directory: Path) -> list[Corpus]:
    """Return the five corpora of `spans`, `xquad` in English, and `tables`."""
    spans = [_read_spans(directory / "spans" / f"{name}.md") for name in SPANS]
    return [*spans, read_xquad(directory / "xquad"), _read_tables(directory / "tables" / "contexts.jsonl")]


SPANS = ("chatlogs", "finance", "pubmed", "state_of_the_union", "wikitexts")


def _read_spans(path: Path) -> Corpus:
    with (path.parent / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus_id"] == path.stem]
    cases = [
        Case(path.stem, path.stem, row["question"], path.name, tuple(
            (each["start_index"], each["end_index"]) for each in json.loads(row["references"])
        ))
        for row in rows
    ]  # fmt: skip
    return Corpus(path.stem, {path.stem: {path.name: path.read_text(encoding="utf-8")}}, tuple(cases))


def read_xquad(directory: Path, questions: str = "en", paragraphs: str = "en") -> Corpus:
    """Return XQuAD with the questions of one language over the paragraphs of another, an article a document."""
    articles, translations = (
        json.loads((directory / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
        for language in (paragraphs, questions)
    )
    texts, cases = {}, []
    for number, (article, other) in enumerate(zip(articles, translations, strict=True)):
        name, text = f"article-{number}.md", ""
        for paragraph, other_paragraph in zip(article["paragraphs"], other["paragraphs"], strict=True):
            for answered, question in zip(paragraph["qas"], other_paragraph["qas"], strict=True):
                start = len(text) + answered["answers"][0]["answer_start"]
                span = start, start + len(answered["answers"][0]["text"])
                cases.append(Case("xquad", "xquad", question["question"], name, (span,)))
            text += paragraph["context"] + "\n\n"
        texts[name] = text
    return Corpus("xquad", {"xquad": texts}, tuple(cases))


def is_held_out(identifier: str) -> bool:
    """Return whether a context of `tables` is in the half that nothing is trained on."""
    return hashlib.sha256(identifier.encode()).digest()[0] % 2 == 1


def _read_tables(path: Path) -> Corpus:
    libraries, cases = {}, []
    for line in path.read_text(encoding="utf-8").splitlines():
        context = json.loads(line)
        name = f"{context['id'][:8]}.md"
        libraries[name] = {name: context["text"]}
        cases += [case for each in context["questions"] if (case := _table_case(context, name, each))]
    return Corpus("tables", libraries, tuple(cases))


def _table_case(context: dict, name: str, each: dict) -> Case | None:
    """Return a question whose answer stands in the text as it is, or in cells of the table."""
    text, table = context["text"], find_markdown_tables(context["text"])[0]
    places = {
        answer: [cell for cell in table.cells if normal(text[cell.start : cell.end]) == normal(answer)]
        for answer in each["answers"]
    }
    held_out = is_held_out(context["id"])
    if each["from"] == "text":
        spans = tuple(span for answer in each["answers"] for span in _find(text, answer))
        return Case("tables", name, each["question"], name, spans, held_out=held_out) if spans else None
    if not all(places.values()):
        return None
    cells = [cell for matching in places.values() for cell in matching]
    headers = [cell for cell in cells if _is_header(context["table"], cell.row)]
    if headers and len(headers) == len(cells):
        columns = {cell.column for cell in headers}
        data = [cell for cell in table.cells if cell.column in columns and not _is_header(context["table"], cell.row)]
        answer_cells, years_only = data, True
    else:
        answer_cells, years_only = [cell for cell in cells if cell not in headers and cell.column > 0], False
    if not answer_cells:
        return None
    spans = tuple((cell.start, cell.end) for cell in answer_cells)
    places_ = tuple((cell.row, cell.column) for cell in answer_cells)
    return Case("tables", name, each["question"], name, spans, places_, years_only, held_out)


def _is_header(rows: list[list[str]], number: int) -> bool:
    """Return whether a row of a table has no figures but years."""
    cells = [cell for cell in rows[number][1:] if cell]
    return all(not re.search(r"\d", cell) or re.search(r"(?:19|20)\d\d|F\w*\d\d|^\(", cell) for cell in cells)


def _find(text: str, answer: str) -> Iterator[Span]:
    words = [re.escape(word) for word in answer.split()]
    for match in re.finditer(r"\s+".join(words), text, re.IGNORECASE):
        yield match.span()


def normal(text: str) -> str:
    """Return a cell or an answer without currency, spaces, commas and parentheses."""
    text = re.sub(r"[$€£%\s,]", "", text.replace("—", "-").replace("–", "-").replace("−", "-")).lower()
    return re.sub(r"^\((.*)\)$", r"-\1", text)


def open_libraries(corpus: Corpus, embedder: Embedder, folder: Path) -> Iterator[tuple[Library, list[Case]]]:
    """Yield each library of a corpus with its questions; it is closed after that."""
    for key, texts in corpus.libraries.items():
        library = Library(embedder)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
            library.add(folder / name)
        try:
            yield library, [case for case in corpus.cases if case.library == key]
        finally:
            library.close()


def by_name(library: Library) -> dict[str, Document]:
    """Return the documents of a library by their names."""
    return {document.name: document for document in library.documents}
