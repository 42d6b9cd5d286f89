"""A turn while its answer streams in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from backends import Delta, SpaceportError
from chat_page.rendering.documents import waiting_text
from chat_page.translations.errors import error_parts
from chat_page.translations.languages import strings
from rag.answering.citations.markers import Marker
from rag.answering.turn import ErrorMessage, Turn
from rag.answering.types import AnswerEnd, Retrieval, Sentence

Event = Retrieval | Delta | Marker | Sentence | AnswerEnd


@dataclass(slots=True)
class Reply:
    """Collects the events of an answer; `turn()` returns the turn so far."""

    question: Turn
    retrieval: Retrieval | None = None
    end: AnswerEnd | None = None
    error: SpaceportError | None = None
    ahead: int | None = None  # how many wait before this one for a place at the model
    loads_search: bool = False  # the embedding model, which can take minutes the first time
    writer: str = ""  # the label of the model that can write an answer if this reply ends with quotes
    _answer: str = ""
    _thought: str = ""
    _markers: list[Marker] = field(default_factory=list)
    _sentences: list[Sentence] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take the next event of the stream."""
        if isinstance(event, Delta):
            if event.kind == "thought":
                self._thought += event.text
            else:
                self._answer += event.text
        elif isinstance(event, Marker):
            self._markers.append(event)
        elif isinstance(event, Sentence):
            self._sentences.append(event)
        elif isinstance(event, Retrieval):
            self.retrieval = event
        else:
            self.end = event

    def starts_section(self, event: Event) -> bool:
        """Whether the page shows `event` at once, because it starts a new section."""
        if isinstance(event, Delta):
            return not (self._thought if event.kind == "thought" else self._answer)
        return not isinstance(event, Marker | Sentence)

    @property
    def status(self) -> str:
        """What the page shows until the first word of the answer."""
        words = strings()
        if self.ahead is not None:
            return waiting_text(self.ahead)
        if self.retrieval is None:
            return words.loading_search if self.loads_search else words.searching
        if not self.retrieval.passages or self.retrieval.abstention:
            return words.writing
        return words.pluralize(words.reading_one, words.reading, passages=len(self.retrieval.passages))

    def turn(self, *, ended: bool = False) -> Turn:
        """Return the turn as it is now; one that ended without an `AnswerEnd` was stopped or failed."""
        finish_reason = self.end.done.finish_reason or "stop" if self.end else "stopped" if ended else None
        return replace(
            self.question,
            answer=self._answer,
            thought=self._thought,
            passages=self.retrieval.passages if self.retrieval else self.question.passages,
            quotes=self.retrieval.quotes if self.retrieval else self.question.quotes,
            unsure=self.retrieval.unsure if self.retrieval else self.question.unsure,
            writer=self.writer if finish_reason == "quotes" else "",
            citations=self.end.citations if self.end else (),
            markers=tuple(self._markers),
            sentences=tuple(self._sentences),
            invalid_markers=self.end.invalid_markers if self.end else 0,
            abstention=self.retrieval.abstention if self.retrieval else None,
            error=ErrorMessage(*error_parts(self.error)) if self.error else None,
            finish_reason=finish_reason,
            written_by="" if finish_reason else self.question.written_by,
        )
