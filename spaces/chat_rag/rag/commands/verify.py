"""`python -m rag verify`: checks answers in JSON against their documents: hashes, spans and every figure."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.answering.verification.verifier import Verifier
from rag.commands.read import command_line_sources
from rag.documents import Document, Passage
from rag.errors import RagError
from rag.reading.parse import read_document
from rag.reading.processes.pool import file_readers


def read_answers(path: Path) -> list[dict[str, Any]]:
    """Return the answers of a file: one JSON object, one a line, or the `exchanges` of a conversation."""
    try:
        text = path.read_text(encoding="utf-8")
        try:
            values = [json.loads(text)]
        except ValueError:
            values = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [answer for value in values for answer in value.get("exchanges", [value])]
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise RagError(f"Can't read the answers in {path} ({error}).", "Pass JSON from ask or a download.") from error


def find_problems(answer: Mapping[str, Any], documents: Mapping[str, Document]) -> Iterator[str]:
    """Yield what of an answer isn't in the documents, by id, as it says."""
    try:
        for quote in answer.get("quotes", ()):
            yield from _span_problems("quote", quote, quote["text"], documents)
            if not quote["start"] <= quote["answer_start"] <= quote["answer_end"] <= quote["end"]:
                yield f"{_place(quote)}: the answer isn't inside the quote"
        passages = []
        for citation in answer.get("citations", ()):
            text = citation["passage"] if "passage" in citation else citation["text"]
            yield from _span_problems("citation", citation, text, documents)
            passages.append(_passage(citation, text, documents))
        verifier = Verifier(passages, documents)
        for sentence in answer.get("sentences", ()):
            verdict = verifier.check(sentence["text"]) if sentence["supported"] and sentence["citations"] else None
            if verdict and not verdict.supported:
                yield f"“{sentence['text']}”: its citations don't say so"
            if sentence["text"] not in answer["answer"]:
                yield f"“{sentence['text']}”: the answer doesn't have this sentence"
    except (KeyError, TypeError) as error:
        yield f"it isn't an answer ({error!r})"


def _span_problems(kind: str, part: Mapping[str, Any], text: str, documents: Mapping[str, Document]) -> Iterator[str]:
    document = _document(part, documents)
    if document is None:
        yield f"{_place(part)}: no file has the content of this document"
    elif document.text[part["start"] : part["end"]] != text or not text:
        yield f"{_place(part)}: the document has other words at the {kind}'s place"


def _document(part: Mapping[str, Any], documents: Mapping[str, Document]) -> Document | None:
    """Return the document with the content's hash; a download has only the name."""
    if "document_id" in part:
        return documents.get(part["document_id"])
    return next((document for document in documents.values() if document.name == part["document"]), None)


def _passage(citation: Mapping[str, Any], text: str, documents: Mapping[str, Document]) -> Passage:
    document = _document(citation, documents)
    place = citation["heading"], citation["start"], citation["end"]
    identifier = document.id if document else ""
    return Passage(
        citation["number"], identifier, citation["document"], citation["page"], *place, text, 0.0, None, None
    )


def _place(part: Mapping[str, Any]) -> str:
    page = f", page {part['page']}" if part.get("page") else ""
    return f"{part['document']}{page}, characters {part['start']} to {part['end']}"


def run(arguments: argparse.Namespace) -> int:
    """Print the problems of all answers, and return the exit status."""
    answers = read_answers(arguments.answers)
    documents = {}
    for source in command_line_sources(arguments.files):
        document = file_readers().run(read_document, source.name, path=source.path.absolute(), name=source.name)
        documents[document.id] = replace(document, name=source.full_name)
    failures = 0
    for answer in answers:
        for problem in find_problems(answer, documents):
            failures += 1
            print(f"{answer.get('question', '')!r}: {problem}")
    print(f"{len(answers):,} answers, {failures:,} problems")
    return 1 if failures else 0
