"""Retrieves the passages that quotes are chosen from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from rag.answering.evidence.comparison import compared_documents, question_to_each
from rag.answering.evidence.question_analysis.abbreviations import spell_out
from rag.answering.evidence.question_analysis.mentions import documents_that_are_meant
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.table_rows import find_rows
from rag.answering.retrieve import number_passages, rank_passages, retrieve_passages
from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

# Eight hold the answer of 99 % of the benchmark's questions, five of 98 %; more take longer than they help.
CANDIDATES = 8


def retrieve_candidates(
    libraries: Sequence[Library], question: str, embedder: Embedder, *, limit: int = CANDIDATES
) -> list[Passage]:
    """Return the best passages for a question, best first, then rows of tables with its words as their label.

    For a comparison, there are as many passages of each document. If documents are about the names of the question,
    those of others aren't searched.
    """
    documents = {document.id: document for library in libraries for document in library.documents}
    question = spell_out(question, documents.values())
    compared = compared_documents(question, documents)
    if not compared:
        asked = Question(question)
        meant = documents_that_are_meant(asked, documents.values())
        passages = retrieve_passages(libraries, question, embedder, limit=limit, documents=meant)
        # In the order of the documents: a set has another one in each process, and rows can be equally good.
        in_order = [document for key, document in documents.items() if key in meant]
        return number_passages([*passages, *find_rows(asked, in_order, passages)])
    ranking, share = rank_passages(libraries, question, embedder), max(3, limit // len(compared))
    passages = [
        passage
        for document_id in compared
        for passage in [each for each in ranking if each.document_id == document_id][:share]
    ]
    asked = Question(question_to_each(question))
    rows = (find_rows(asked, [documents[document_id]], passages) for document_id in compared)
    return number_passages([*passages, *chain.from_iterable(rows)])


def with_similarities(passages: Sequence[Passage], question: str, embedder: Embedder) -> list[Passage]:
    """Return the passages with the similarity also of those that only words found."""
    unknown = [passage.text for passage in passages if passage.dense is None]
    if not unknown:
        return list(passages)
    cosines = iter((embedder.encode(unknown) @ embedder.encode_question(question)).tolist())
    return [
        replace(passage, dense=embedder.similarity(next(cosines))) if passage.dense is None else passage
        for passage in passages
    ]
