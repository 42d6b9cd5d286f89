"""The workload of a comparison: what the page would send to a model for each question, the same for all targets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answering.answer import Rag
from rag.answering.options import AnswerOptions
from rag.answering.prompts.budget import PromptPlan, plan_prompt
from rag.documents import Passage
from rag.errors import RagError
from rag.json_lines import read_json_lines
from rag.library.library import Library
from rag.scoring.questions import Gold, GoldQuestion, Identifier, is_identifier, read_gold
from rag.search.embedding.embedders import Embedder

REMEDY = "Pass the file that `python -m rag workload` wrote."


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question of a workload, its gold, and the passages that its answer has to rest on."""

    id: Identifier
    text: str
    gold: Gold
    passages: tuple[Passage, ...]


def check_documents(questions: Sequence[GoldQuestion], library: Library) -> None:
    """Raise `RagError` if a question names a document that the library doesn't have."""
    known = {document.name for document in library.documents}
    names = known | {name.rpartition("/")[2] for name in known}
    for question in questions:
        for name in question.documents:
            if name not in names:
                raise RagError(
                    f"Question {question.id} names a document that isn't here: {name}.",
                    f"The documents are {', '.join(sorted(known)[:20])}.",
                )


def workload_lines(
    questions: Sequence[GoldQuestion], library: Library, embedder: Embedder, options: AnswerOptions, context_window: int
) -> Iterator[dict[str, Any]]:
    """Yield the line of each question, in their order: the messages, and what the score needs.

    The passages are those that the page finds. Questions that the documents don't answer get the nearest ones: on the
    page no model would be asked, and here each shows whether it refuses.
    """
    for question in questions:
        rag = Rag(embedder, [_asked_library(question, library)])
        retrieval = rag.search(question.text, question.text, options)
        plan = plan_prompt(
            _with_format(question), retrieval.passages, max_tokens=options.max_tokens, context_window=context_window
        )
        yield _line(question, plan)


def _asked_library(question: GoldQuestion, library: Library) -> Library:
    """Return the library with the documents that a question is put to; a name is with its folder or without."""
    if not question.documents:
        return library
    others = [
        document.id
        for document in library.documents
        if not {document.name, document.name.rpartition("/")[2]} & set(question.documents)
    ]
    return library.without(others)


def _with_format(question: GoldQuestion) -> str:
    if question.gold.schema is None:
        return question.text
    schema = json.dumps(question.gold.schema, ensure_ascii=False)
    return f"{question.text}\n\nReply with JSON that is valid by this schema, and with nothing else: {schema}"


def _line(question: GoldQuestion, plan: PromptPlan) -> dict[str, Any]:
    gold = question.gold
    return {
        "messages": [{"role": message.role, "content": message.text} for message in plan.messages],
        "max_tokens": plan.max_tokens,
        "question": {
            "id": question.id,
            "text": question.text,
            "answers": gold.answers,
            "spans": gold.spans,
            "answerable": gold.answerable,
            "schema": gold.schema,
            "passages": [_passage_json(passage) for passage in plan.passages],
        },
    }


def _passage_json(passage: Passage) -> dict[str, Any]:
    place = {"heading": passage.heading, "document": passage.document_id, "start": passage.start, "end": passage.end}
    return {"text": passage.text, "source": passage.document, "page": passage.page} | place


def read_workload(path: Path) -> dict[str, AskedQuestion]:
    """Return the questions of a workload by their ids; lines that have no question aren't part of it."""
    questions: dict[str, AskedQuestion] = {}
    for number, line in read_json_lines(path, REMEDY):
        if (question := line.get("question")) is not None:
            each = _asked(question, f"Line {number} of {path}")
            if questions.setdefault(str(each.id), each) is not each:
                raise RagError(f"Line {number} of {path} has the id of an earlier line: {each.id}.", REMEDY)
    if not questions:
        raise RagError(f"{path} has no questions.", REMEDY)
    return questions


def _asked(question: Any, place: str) -> AskedQuestion:
    try:
        if not is_identifier(question["id"]):
            raise TypeError("id")
        passages = [read_passage(number, each) for number, each in enumerate(question["passages"], 1)]
        return AskedQuestion(question["id"], str(question["text"]), read_gold(question, place), tuple(passages))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise RagError(f"{place} isn't a question of a workload ({error!r}).", REMEDY) from error


def read_passage(number: int, fields: Mapping[str, Any]) -> Passage:
    """Return a passage; one that says no place in a document is a document of its own."""
    text, page = str(fields["text"]), fields.get("page")
    heading, start = str(fields.get("heading") or ""), int(fields.get("start", 0))
    document = str(fields.get("document") or f"passage {number}")
    place = heading, start, start + len(text)
    return Passage(number, document, str(fields["source"]), page, *place, text, 0.0, None, None)
