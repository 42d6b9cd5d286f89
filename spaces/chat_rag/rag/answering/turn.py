"""A turn of a conversation as plain data: the question, its answer, the sources and the times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from backends import Message
from rag.answering.abstention.abstain import Abstention
from rag.answering.abstention.strings import REFUSAL, UNSURE
from rag.answering.citations.markers import Marker
from rag.answering.citations.placement import passage_of
from rag.answering.measurements import Measurements
from rag.answering.quotes import Quote
from rag.answering.types import Citation, Sentence
from rag.documents import Passage


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The error that ended an answer: what happened and what to do."""

    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer.

    `quotes` are the words of the documents that answer. `answer` is what a model wrote below them: the exact text with
    its citation markers as `[n]`; `markers` says where they are, `sentences` what the documents support. `passages`
    have the quotes and what was sent to the model. `unsure` quotes may well not answer. With an
    `abstention`, quotes and passages are the nearest ones.
    `finish_reason` is None until the answer ends. `writes` is "answer" if the visitor asked for a written answer,
    otherwise "": the target decides. `writer` is the label of the model that could still write an answer, or "".
    `target` is "" until a model is asked, and `target_title` is what the catalogue called it then; `asked_at` is in ISO
    8601. A `shared` turn came from a link: the passages of its citations have a number, a document and a page, but no
    text. `id` tells the turns of a conversation apart. `again` is the id of the turn whose question this one asks
    another model, or "". While an answer is being written, `written_by` names the process that does it. `follow_ups`
    are questions that the documents answer too. `rating` is "like", "dislike" or "", and `reason` is why.
    """

    question: str
    answer: str = ""
    thought: str = ""
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    markers: tuple[Marker, ...] = ()
    invalid_markers: int = 0
    abstention: Abstention | None = None
    error: ErrorMessage | None = None
    finish_reason: str | None = None
    target: str = ""
    target_title: str = ""
    asked_at: str = ""
    shared: bool = False
    quotes: tuple[Quote, ...] = ()
    writes: str = ""
    writer: str = ""
    sentences: tuple[Sentence, ...] = ()
    measurements: Measurements | None = None
    id: str = field(default="", compare=False)
    again: str = ""
    unsure: bool = False
    written_by: str = field(default="", compare=False)
    follow_ups: tuple[str, ...] = ()
    rating: str = ""
    reason: str = ""

    @property
    def characters(self) -> int:
        """The length of all its texts."""
        return len(self.question) + len(self.thought) + len(self.answer)

    @property
    def is_open(self) -> bool:
        """Whether its answer has begun and not ended."""
        return bool(self.target) and self.finish_reason is None

    @property
    def unsupported(self) -> tuple[Sentence, ...]:
        """The sentences of the answer that the documents don't support."""
        return tuple(sentence for sentence in self.sentences if not sentence.supported)

    @property
    def all_unsupported(self) -> bool:
        """Whether the documents support no sentence of the answer."""
        return bool(self.sentences) and len(self.unsupported) == len(self.sentences)


def turns_before(question: Turn, earlier: Iterable[Turn]) -> list[Turn]:
    """Return the turns that a question follows, without the answers of other models to it."""
    return [turn for turn in earlier if not question.again or question.again not in (turn.id, turn.again)]


def model_messages(turns: Iterable[Turn]) -> list[Message]:
    """Return the conversation for a model: questions and answers, or their quotes, without thoughts and errors."""
    messages: list[Message] = []
    for turn in turns:
        messages.append(Message("user", turn.question))
        if answer := _supported_text(turn):
            messages.append(Message("assistant", answer))
        elif turn.abstention:
            messages.append(Message("assistant", REFUSAL))
        elif turn.quotes:
            lines = [*([UNSURE] if turn.unsure else []), *(_quote_text(quote, turn) for quote in turn.quotes)]
            messages.append(Message("assistant", "\n".join(lines)))
    return messages


def _supported_text(turn: Turn) -> str:
    """Return the answer without the sentences that the documents don't support: a model would repeat them."""
    parts, position = [], 0
    for sentence in turn.unsupported:
        parts.append(turn.answer[position : sentence.start])
        position = sentence.end
    text = "".join([*parts, turn.answer[position:]]).strip()
    return "" if turn.all_unsupported else text


def _quote_text(quote: Quote, turn: Turn) -> str:
    """Return a quote with the marker of its passage."""
    passage = passage_of(quote, turn.passages)
    return f"{quote.text} [{passage.number}]" if passage else quote.text
