"""Values of one answer: the retrieval, the citations and the end of the stream."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from backends import Done
from rag.answering.abstention.abstain import Abstention
from rag.answering.quotes import Quote
from rag.documents import Passage


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The result of the search for a question, before the model gets it.

    `query` is the text that was searched for. `quotes` are the words of the documents that answer, best first; each is
    in one of the `passages`, which go to the model. `unsure` quotes may well not answer. With an `abstention` both are
    the nearest ones, and nothing goes to the model. `seconds` is the time from the question to the quotes.
    `omitted_passages` counts those that the prompt had no room for. `context_window` is the window in tokens that the
    target reports, or None.
    """

    passages: tuple[Passage, ...]
    query: str = ""
    abstention: Abstention | None = None
    omitted_passages: int = 0
    context_window: int | None = None
    quotes: tuple[Quote, ...] = ()
    seconds: float | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that supports the answer; `attributed` if Spaceport added the citation, not the model.

    `spans` are the parts of `passage.text` that support the answer, in characters, one per marker.
    """

    passage: Passage
    attributed: bool
    spans: tuple[tuple[int, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the passage as JSON; `supports` has its spans as characters of the document, like `start`."""
        offset = self.passage.start
        supports = [{"start": offset + start, "end": offset + end} for start, end in self.spans]
        return passage_json(self.passage) | {"attributed": self.attributed, "supports": supports}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A finished sentence of an answer, or a cell of its tables, that claims something: `answer[start:end]`.

    `supported` says whether the passages say the same; `citations` has the numbers of those that it cites.
    """

    start: int
    end: int
    supported: bool
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """The last event of an answer; `invalid_markers` counts the model's markers that name no passage."""

    citations: tuple[Citation, ...]
    invalid_markers: int
    done: Done


def passage_json(passage: Passage) -> dict[str, Any]:
    """Return a passage as JSON, its text under the key `passage`."""
    fields = asdict(passage)
    fields["passage"] = fields.pop("text")
    return fields


def sentence_json(sentence: Sentence, answer: str) -> dict[str, Any]:
    """Return a sentence of an answer as JSON, with its text."""
    return asdict(sentence) | {"text": answer[sentence.start : sentence.end]}
