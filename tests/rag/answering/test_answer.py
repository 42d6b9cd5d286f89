"""From a question to a cited answer, over a backend that says what the test wants; a queued real one, not a mock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backends import ChatRequest, Delta, Done, Health, Interrupted, Message, Usage
from rag.answering import abstain
from rag.answering.answer import Finished, Found, Options, Rag
from rag.answering.prompt import recent
from rag.library.library import Library
from rag.search.embedders import Embedder

Written = Callable[[str, str], Path]


class Queued:
    """A backend that streams what it was given, and keeps what it was asked."""

    def __init__(self, *events: Delta | Done | Exception, context: int | None = None) -> None:
        self.events = events
        self.context = context
        self.asked: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta | Done]:
        self.asked.append(request)
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    async def check(self) -> Health:
        return Health("queued", self.context)

    async def aclose(self) -> None:
        pass


DONE = Done("stop", Usage(10, 5))


async def collect(rag: Rag, backend: Queued, question: str, **options: object) -> tuple[str, list[object]]:
    events = [event async for event in rag.answer(question, backend, **options)]
    return "".join(event.text for event in events if isinstance(event, Delta) and event.kind == "answer"), events


async def test_passages_come_first_and_citations_last(library: Library, embedder: Embedder, written: Written) -> None:
    library.add(written("tide.txt", "High water at the quay is at 14:20 today."))
    backend = Queued(Delta("Let me look.", "thought"), Delta("High water is at 14:20 [1]"), Delta(" [4]."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    assert answer == "High water is at 14:20 [1] ."
    assert isinstance(events[0], Found)
    assert events[1] == Delta("Let me look.", "thought")
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.done is DONE
    assert end.removed == 1
    assert [citation.passage.document for citation in end.citations] == ["tide.txt"]
    assert end.citations[0].as_json()["passage"] == "High water at the quay is at 14:20 today."


async def test_the_model_is_sent_the_passages_under_their_numbers(
    library: Library, embedder: Embedder, written: Written
) -> None:
    library.add(written("tide.txt", "High water at the quay is at 14:20 today."))
    backend = Queued(Delta("Yes."), DONE)
    options = Options(passages=1, max_tokens=7, temperature=0.5, system="Be a sailor.")
    await collect(Rag(embedder, [library]), backend, "When is high water?", options=options)
    request = backend.asked[0]
    assert (request.max_tokens, request.temperature) == (7, 0.5)
    assert request.messages[0].content.startswith("Be a sailor.")
    assert request.messages[-1].content == (
        "[1] (tide.txt)\nHigh water at the quay is at 14:20 today.\n\nQuestion: When is high water?"
    )


async def test_without_documents_it_is_a_plain_chat(library: Library, embedder: Embedder) -> None:
    backend = Queued(Delta("Use x[1]."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "How?", history=[Message("user", "Hi")])
    assert answer == "Use x[1]."
    assert isinstance(events[0], Found)
    assert (events[0].passages, events[0].abstained) == ((), None)
    assert backend.asked[0].messages[-1] == Message("user", "How?")
    assert not any("[" in message.content for message in backend.asked[0].messages)


async def test_what_came_before_a_break_keeps_its_citations(
    library: Library, embedder: Embedder, written: Written
) -> None:
    library.add(written("tide.txt", "High water at the quay is at 14:20 today."))
    backend = Queued(Delta("High water is at 14:20 [1"), Interrupted("It broke.", "Ask again."))
    events: list[object] = []
    with pytest.raises(Interrupted):
        async for event in Rag(embedder, [library]).answer("When is high water?", backend):
            events.append(event)
    assert events[-2] == Delta("[1")
    assert isinstance(events[-1], Finished)


def test_history_is_sent_without_markers_and_from_a_question_on() -> None:
    history = [
        Message("user", "x" * 3000),
        Message("assistant", "It is [1](#source-1-1) so [2](#source-1-2a)."),
        Message("user", "And then?"),
        Message("assistant", "y" * 900),
    ]
    assert recent(history) == [
        Message("user", "x" * 3000),
        Message("assistant", "It is so."),
        Message("user", "And then?"),
        Message("assistant", "y" * 900),
    ]
    longer = [Message("user", "z" * 200), *history, Message("user", "w" * 3090), Message("assistant", "v")]
    assert recent(longer)[0].role == "user"
    assert sum(len(message.content) for message in recent(longer)) <= 4000


async def test_an_answer_that_repeats_itself_is_ended(library: Library, embedder: Embedder, written: Written) -> None:
    library.add(written("tide.txt", "High water at the quay is at 14:20 today."))
    backend = Queued(*[Delta("High water at the quay is at 14:20. ")] * 50, DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    assert answer.count("14:20") == 2
    assert isinstance(events[-1], Finished)
    assert events[-1].done.finish_reason == "repetition"


async def test_a_plain_chat_may_repeat_itself(library: Library, embedder: Embedder) -> None:
    backend = Queued(*[Delta("Row, row, row your boat, gently down the stream. ")] * 4, DONE)
    answer, _ = await collect(Rag(embedder, [library]), backend, "Sing!")
    assert answer.count("Row") == 4


TIDE = "High water at the quay is at 14:20 today."
ELSEWHERE = "Who wrote the opera about the barber of Seville?"


async def test_documents_that_do_not_answer_say_so(library: Library, embedder: Embedder, written: Written) -> None:
    library.add(written("tide.txt", TIDE))
    backend = Queued(Delta("Rossini did."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, ELSEWHERE)
    assert answer == abstain.REFUSAL
    assert backend.asked == []
    found, end = events[0], events[-1]
    assert isinstance(found, Found)
    assert found.abstained is not None
    assert [passage.text for passage in found.passages] == [TIDE]  # the nearest is shown all the same
    assert isinstance(end, Finished)
    assert (end.citations, end.done.finish_reason) == ((), "abstained")


async def test_the_model_answers_by_itself_only_where_that_is_allowed(
    library: Library, embedder: Embedder, written: Written
) -> None:
    library.add(written("tide.txt", TIDE))
    backend = Queued(Delta("Rossini did [1]."), DONE)
    options = Options(without=True)
    answer, events = await collect(Rag(embedder, [library]), backend, ELSEWHERE, options=options)
    assert answer == f"{abstain.WITHOUT}\n\nRossini did [1]."
    assert backend.asked[0].messages[-1] == Message("user", ELSEWHERE)
    assert isinstance(events[-1], Finished)
    assert events[-1].citations == ()
    answer, _ = await collect(Rag(embedder, [library]), backend, "When is high water?", options=options)
    assert answer == "Rossini did [1]."
    assert TIDE in backend.asked[1].messages[-1].content


async def test_a_document_is_summarised_though_no_passage_resembles_that(
    library: Library, embedder: Embedder, written: Written
) -> None:
    library.add(written("tide.txt", TIDE))
    _, events = await collect(Rag(embedder, [library]), Queued(Delta("Tides."), DONE), "Summarise this document.")
    assert isinstance(events[0], Found)
    assert events[0].abstained is None


async def test_a_follow_up_is_searched_with_what_it_leans_on(
    library: Library, embedder: Embedder, written: Written
) -> None:
    library.add(written("ferry.txt", "The ferry Lapwing leaves Oxmouth quay at 07:10 and takes 55 minutes."))
    library.add(written("kennel.txt", "The kennel takes 15 dogs. It takes long to walk there."))
    library.add(written("museum.txt", "The museum is large, and how long it takes depends on the visitor."))
    history = [Message("user", "Which ferry leaves Oxmouth?"), Message("assistant", "The ferry Lapwing does [1].")]
    backend = Queued(Delta("55 minutes."), DONE)
    rag, options = Rag(embedder, [library]), Options(passages=2)
    _, events = await collect(rag, backend, "How long does it take?", history=history, options=options)
    found = events[0]
    assert isinstance(found, Found)
    assert found.searched == "How long does it take? (Oxmouth)"
    assert "ferry.txt" in [passage.document for passage in found.passages]
    assert backend.asked[0].messages[-1].content.endswith("Question: How long does it take?")
    _, events = await collect(rag, backend, "How many dogs does the kennel take?", history=history)
    assert isinstance(events[0], Found)
    assert events[0].searched == "How many dogs does the kennel take?"


async def test_passages_that_do_not_fit_are_left_out_and_told(
    library: Library, embedder: Embedder, written: Written
) -> None:
    for hour in range(12):
        library.add(written(f"{hour}.txt", f"High water at quay {hour} is at {hour}:20 today. " * 12))
    backend = Queued(Delta("Yes."), DONE, context=1024)
    question = "When is high water at quay 7 today?"
    _, events = await collect(Rag(embedder, [library]), backend, question, options=Options(12, 256))
    found, content = events[0], backend.asked[0].messages[-1].content
    assert isinstance(found, Found)
    assert (found.context, found.context_known) == (1024, True)
    assert 1 <= len(found.passages) < 12
    assert found.left_out == 12 - len(found.passages)
    assert [passage.number for passage in found.passages] == list(range(1, len(found.passages) + 1))
    assert all(f"[{passage.number}] ({passage.document})\n" in content for passage in found.passages)
    assert f"[{len(found.passages) + 1}]" not in content


async def test_a_citation_tells_the_part_that_supports_it(
    library: Library, embedder: Embedder, written: Written
) -> None:
    library.add(written("tide.txt", f"The crane lifts 40 tonnes. {TIDE} Dogs are free."))
    backend = Queued(Delta("High water at the quay is at 14:20 [1]."), DONE)
    _, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    end = events[-1]
    assert isinstance(end, Finished)
    [(start, stop)] = end.citations[0].spans
    assert end.citations[0].passage.text[start:stop] == TIDE
    assert end.citations[0].as_json()["supports"] == [{"start": start, "end": stop}]
