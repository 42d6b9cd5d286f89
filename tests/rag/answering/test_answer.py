"""Tests of the path from a question to a cited answer, over a real backend with a queue of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backends import ChatRequest, Delta, Done, Health, Interrupted, Message, Usage
from rag.answering.answer import Rag
from rag.answering.citations.markers import Marker
from rag.answering.citations.placement import passage_of
from rag.answering.options import AnswerOptions
from rag.answering.prompts.prompt import recent_messages
from rag.answering.types import AnswerEnd, Retrieval, Sentence
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

WriteFile = Callable[[str, str], Path]


class QueueBackend:
    """Streams a queue of events and records the requests."""

    local = False

    def __init__(self, *events: Delta | Done | Exception, context: int | None = None) -> None:
        self.events = events
        self.context = context
        self.requests: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta | Done]:
        self.requests.append(request)
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    async def check(self) -> Health:
        return Health("queue", self.context)

    async def aclose(self) -> None:
        pass


DONE = Done("stop", Usage(10, 5))


async def collect(rag: Rag, backend: QueueBackend, question: str, **options: object) -> tuple[str, list[object]]:
    events = [event async for event in rag.answer(question, backend, **options)]
    return "".join(event.text for event in events if isinstance(event, Delta) and event.kind == "answer"), events


async def test_passages_come_first_and_citations_last(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(Delta("Let me look.", "thought"), Delta("High water is at 14:20 [1]"), Delta(" [4]."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    assert answer == "High water is at 14:20. [1]"
    assert isinstance(events[0], Retrieval)
    assert isinstance(events[1], Retrieval)  # again, with what fits into the prompt
    assert events[2] == Delta("Let me look.", "thought")
    end = events[-1]
    assert isinstance(end, AnswerEnd)
    assert end.done is DONE
    assert end.invalid_markers == 1
    assert [citation.passage.document for citation in end.citations] == ["tide.txt"]
    assert end.citations[0].as_json()["passage"] == "High water at the quay is at 14:20 today."


async def test_each_marker_comes_before_its_text(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(Delta("It is at 14:20 [1]. High water at the quay is today."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    markers = [event for event in events if isinstance(event, Marker)]
    assert [(marker.number, marker.attributed) for marker in markers] == [(1, False), (1, True)]
    assert [answer[marker.start : marker.end] for marker in markers] == ["[1]", "[1]"]


async def test_the_model_gets_the_numbered_passages(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(Delta("Yes."), DONE)
    options = AnswerOptions(passages=1, max_tokens=7, temperature=0.5, system="Be a sailor.")
    await collect(Rag(embedder, [library]), backend, "When is high water?", options=options)
    request = backend.requests[0]
    assert (request.max_tokens, request.temperature) == (7, 0.5)
    assert request.messages[0].content.startswith("Be a sailor.")
    assert request.messages[-1].content == (
        "[1] (tide.txt)\nHigh water at the quay is at 14:20 today.\n\nQuestion: When is high water?"
    )


async def test_without_documents_it_is_a_plain_chat(library: Library, embedder: Embedder) -> None:
    backend = QueueBackend(Delta("Use x[1]."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "How?", history=[Message("user", "Hi")])
    assert answer == "Use x[1]."
    assert isinstance(events[0], Retrieval)
    assert (events[0].passages, events[0].abstention) == ((), None)
    assert backend.requests[0].messages[-1] == Message("user", "How?")
    assert not any("[" in message.content for message in backend.requests[0].messages)


async def test_each_sentence_has_its_verdict_after_its_text(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(Delta("High water is at 14:20 [1]. Low"), Delta(" water is at 20:35 [1]."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    assert answer == "High water is at 14:20. [1] Low water is at 20:35."
    sentences = [event for event in events if isinstance(event, Sentence)]
    assert [(answer[each.start : each.end], each.supported, each.citations) for each in sentences] == [
        ("High water is at 14:20.", True, (1,)),
        ("Low water is at 20:35.", False, ()),
    ]
    at = events.index(sentences[0])
    assert "14:20. [1] " in "".join(event.text for event in events[:at] if isinstance(event, Delta))


async def test_a_backend_that_dies_within_a_sentence_leaves_it_without_a_verdict(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(Delta("High water is at 14:20. Low water is at 2"), Interrupted("It broke.", "Try again."))
    events: list[object] = []
    with pytest.raises(Interrupted):
        async for event in Rag(embedder, [library]).answer("When is high water?", backend):
            events.append(event)
    assert [each.supported for each in events if isinstance(each, Sentence)] == [True]
    assert isinstance(events[-1], AnswerEnd)
    assert len(events[-1].citations) == 1


async def test_an_interrupted_answer_keeps_its_citations(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(Delta("High water is at 14:20 [1"), Interrupted("It broke.", "Try again."))
    events: list[object] = []
    with pytest.raises(Interrupted):
        async for event in Rag(embedder, [library]).answer("When is high water?", backend):
            events.append(event)
    assert events[-2] == Delta(" [1")
    assert isinstance(events[-1], AnswerEnd)


def test_history_has_no_markers_and_begins_with_a_question() -> None:
    history = [
        Message("user", "x" * 3000),
        Message("assistant", "It is [1] so [2]."),
        Message("user", "And then?"),
        Message("assistant", "y" * 900),
    ]
    assert recent_messages(history) == [
        Message("user", "x" * 3000),
        Message("assistant", "It is so."),
        Message("user", "And then?"),
        Message("assistant", "y" * 900),
    ]
    longer = [Message("user", "z" * 200), *history, Message("user", "w" * 3090), Message("assistant", "v")]
    assert recent_messages(longer)[0].role == "user"
    assert sum(len(message.content) for message in recent_messages(longer)) <= 4000


async def test_an_answer_that_repeats_itself_ends(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    library.add(write_file("tide.txt", "High water at the quay is at 14:20 today."))
    backend = QueueBackend(*[Delta("High water at the quay is at 14:20. ")] * 50, DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    assert answer.count("14:20") == 2
    assert isinstance(events[-1], AnswerEnd)
    assert events[-1].done.finish_reason == "repetition"


async def test_a_plain_chat_may_repeat_itself(library: Library, embedder: Embedder) -> None:
    backend = QueueBackend(*[Delta("Row, row, row your boat, gently down the stream. ")] * 4, DONE)
    answer, _ = await collect(Rag(embedder, [library]), backend, "Sing!")
    assert answer.count("Row") == 4


TIDE = "High water at the quay is at 14:20 today."
OTHER_SUBJECT = "Who wrote the opera about the barber of Seville?"


async def test_the_model_gets_no_question_that_the_documents_do_not_answer(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", TIDE))
    backend = QueueBackend(Delta("Rossini did."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, OTHER_SUBJECT)
    assert answer == ""  # the words of a refusal are the page's
    assert backend.requests == []
    retrieval, end = events
    assert isinstance(retrieval, Retrieval)
    assert retrieval.abstention is not None
    assert [passage.text for passage in retrieval.passages] == [TIDE]  # the nearest passage, for the source panel
    assert isinstance(end, AnswerEnd)
    assert (end.citations, end.done.finish_reason) == ((), "abstained")


async def test_the_model_answers_from_general_knowledge_only_if_allowed(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", TIDE))
    backend = QueueBackend(Delta("Rossini did [1]."), DONE)
    options = AnswerOptions(general_knowledge=True)
    answer, events = await collect(Rag(embedder, [library]), backend, OTHER_SUBJECT, options=options)
    assert answer == "Rossini did [1]."
    assert isinstance(events[0], Retrieval)
    assert events[0].abstention is not None
    assert backend.requests[0].messages[-1] == Message("user", OTHER_SUBJECT)
    assert isinstance(events[-1], AnswerEnd)
    assert events[-1].citations == ()
    answer, events = await collect(Rag(embedder, [library]), backend, "When is high water?", options=options)
    assert answer == "Rossini did. [1]"
    assert isinstance(events[0], Retrieval)
    assert events[0].abstention is None
    assert TIDE in backend.requests[1].messages[-1].content


async def test_a_summary_needs_no_similar_passage(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    library.add(write_file("tide.txt", TIDE))
    _, events = await collect(Rag(embedder, [library]), QueueBackend(Delta("Tides."), DONE), "Summarise this document.")
    assert isinstance(events[0], Retrieval)
    assert events[0].abstention is None


async def test_the_query_of_a_follow_up_has_its_subject(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("ferry.txt", "The ferry Lapwing leaves Oxmouth quay at 07:10 and takes 55 minutes."))
    library.add(write_file("kennel.txt", "The kennel takes 15 dogs. It takes long to walk there."))
    library.add(write_file("museum.txt", "The museum is large, and how long it takes depends on the visitor."))
    history = [Message("user", "Which ferry leaves Oxmouth?"), Message("assistant", "The ferry Lapwing does [1].")]
    backend = QueueBackend(Delta("55 minutes."), DONE)
    rag, options = Rag(embedder, [library]), AnswerOptions(passages=2)
    _, events = await collect(rag, backend, "How long does it take?", history=history, options=options)
    retrieval = events[0]
    assert isinstance(retrieval, Retrieval)
    assert retrieval.query == "How long does it take? (Oxmouth)"
    assert "ferry.txt" in [passage.document for passage in retrieval.passages]
    assert backend.requests[0].messages[-1].content.endswith("Question: How long does it take?")
    _, events = await collect(rag, backend, "How many dogs does the kennel take?", history=history)
    assert isinstance(events[0], Retrieval)
    assert events[0].query == "How many dogs does the kennel take?"


async def test_passages_that_do_not_fit_are_omitted_and_counted(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    for hour in range(12):
        library.add(write_file(f"{hour}.txt", f"High water at quay {hour} is at {hour}:20 today. " * 12))
    backend = QueueBackend(Delta("Yes."), DONE, context=1024)
    question = "When is high water at quay 7 today?"
    _, events = await collect(Rag(embedder, [library]), backend, question, options=AnswerOptions(12, 256))
    first, retrieval, content = events[0], events[1], backend.requests[0].messages[-1].content
    assert isinstance(first, Retrieval)
    assert isinstance(retrieval, Retrieval)
    assert retrieval.context_window == 1024
    sent = [passage for passage in retrieval.passages if f"[{passage.number}] ({passage.document})\n" in content]
    assert 1 <= len(sent) < len(first.passages)
    assert retrieval.omitted_passages == len(first.passages) - len(sent)
    assert [passage.number for passage in sent] == list(range(1, len(sent) + 1))
    assert all(passage_of(quote, retrieval.passages) for quote in retrieval.quotes)  # also if the model doesn't get it


async def test_a_citation_has_the_span_that_supports_it(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", f"The crane lifts 40 tonnes. {TIDE} Dogs are free."))
    backend = QueueBackend(Delta("High water at the quay is at 14:20 [1]."), DONE)
    _, events = await collect(Rag(embedder, [library]), backend, "When is high water?")
    end = events[-1]
    assert isinstance(end, AnswerEnd)
    [(start, stop)] = end.citations[0].spans
    assert end.citations[0].passage.text[start:stop] == TIDE
    assert end.citations[0].as_json()["supports"] == [{"start": start, "end": stop}]


async def test_a_target_that_writes_quotes_is_not_called(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    text = f"The crane lifts 40 tonnes. {TIDE} Dogs are free."
    library.add(write_file("tide.txt", text))
    backend = QueueBackend(Delta("No."), DONE)
    options = AnswerOptions(writes="quotes")
    answer, events = await collect(
        Rag(embedder, [library]), backend, "When is high water at the quay?", options=options
    )
    retrieval, end = events
    assert isinstance(retrieval, Retrieval)
    assert isinstance(end, AnswerEnd)
    assert (answer, backend.requests, end.done.finish_reason) == ("", [], "quotes")
    assert retrieval.quotes[0].text == TIDE == text[retrieval.quotes[0].start : retrieval.quotes[0].end]
    assert passage_of(retrieval.quotes[0], retrieval.passages).number == 1  # type: ignore[union-attr]
    assert retrieval.seconds is not None


async def test_the_quotes_come_before_the_model_is_asked(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", TIDE))
    backend = QueueBackend(Delta("At 14:20."), DONE)
    events = Rag(embedder, [library]).answer("When is high water?", backend)
    first = await anext(events)
    assert isinstance(first, Retrieval)
    assert first.quotes
    assert backend.requests == []
    await events.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("question", "contents"), [("When is high water?", 0), ("And today?", 2)])
async def test_only_a_follow_up_gets_earlier_answers(
    library: Library, embedder: Embedder, write_file: WriteFile, question: str, contents: int
) -> None:
    library.add(write_file("tide.txt", TIDE))
    backend = QueueBackend(Delta("At 14:20."), DONE)
    history = [Message("user", "When was high water at the quay?"), Message("assistant", "It was at 13:30.")]
    await collect(Rag(embedder, [library]), backend, question, history=history)
    assert len(backend.requests[0].messages) == 2 + contents


async def test_the_model_gets_up_to_6000_characters(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    for hour in range(24):
        library.add(write_file(f"{hour}.txt", f"High water at quay {hour} is at {hour}:20 today. " * 20))
    backend = QueueBackend(Delta("Yes."), DONE, context=32_000)
    _, events = await collect(Rag(embedder, [library]), backend, "When is high water at quay 7 today?")
    retrieval = events[1]
    assert isinstance(retrieval, Retrieval)
    characters = sum(len(passage.text) for passage in retrieval.passages)
    assert 4500 < characters <= 6000
    assert all(passage.text in backend.requests[0].messages[-1].content for passage in retrieval.passages)


async def test_small_talk_searches_nothing_and_asks_no_model(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("tide.txt", TIDE))
    backend = QueueBackend(Delta("No."), DONE)
    answer, events = await collect(Rag(embedder, [library]), backend, "Hello!")
    assert "tide.txt" in answer
    assert backend.requests == []
    retrieval, _, end = events
    assert isinstance(retrieval, Retrieval)
    assert isinstance(end, AnswerEnd)
    assert (retrieval.passages, retrieval.quotes, retrieval.abstention, end.done.finish_reason) == (
        (), (), None, "small_talk",
    )  # fmt: skip
