"""Verified citations: each sentence of an answer is checked when it is finished, and cites what says the same.

The text streams through as it arrives, without the model's markers. A finished sentence that the passages support gets
the markers of its evidence: those that the model named, or others. One that they don't support gets none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.answering.citations.markers import (
    BRACKETS,
    Marker,
    is_link_target_prefix,
    is_marker_prefix,
    link_target_end,
    parse_marker,
)
from rag.answering.types import Sentence
from rag.answering.verification.sentences.figures import find_figures
from rag.answering.verification.sentences.lines import (
    is_delimiter_row,
    is_heading,
    is_row,
    is_wrapped,
    row_cells,
    text_start,
)
from rag.answering.verification.support import Sources, ends_sentence
from rag.answering.verification.verdicts import Evidence
from rag.answering.verification.verifier import Verifier
from rag.documents import Passage

_FULL_STOPS = ("。", "！", "？")  # no space follows these
_END = re.compile(r"[.!?。！？\n]")
_MAX_RUN = 200  # how many backticks or white-space characters to wait for
_BACKTICKS = re.compile(f"`{{1,{_MAX_RUN}}}")
_SPACE = re.compile(rf"\s{{0,{_MAX_RUN}}}")
_WORD = re.compile(r"\w{1,40}")
# A longer text without an end isn't a claim. Without a limit, each of its words would cost as much as all before it.
_MAX_SENTENCE, _MAX_ROW = 1000, 4000


@dataclass(frozen=True, slots=True)
class Claim:
    """A marker of an answer and the span of the passage that supports it.

    `start` and `end` are character offsets into `Passage.text`.
    """

    marker: Marker
    start: int = 0
    end: int = 0

    @property
    def number(self) -> int:
        return self.marker.number


@dataclass(slots=True)
class Citer:
    """Passes an answer through, checks its sentences and adds their citations.

    Without passages the answer is a plain chat and stays as it is.
    """

    passages: Sequence[Passage]
    verifier: Verifier
    claims: list[Claim] = field(default_factory=list)
    """One for each marker of the answer, in the order of the text."""
    sentences: list[Sentence] = field(default_factory=list)
    """The sentences that claim something, in the order of the text."""
    invalid_markers: int = 0
    """How many of the model's markers named no passage."""
    _sources: Sources = field(init=False)
    _length: int = 0  # characters of the answer so far
    _pending: str = ""  # text that may be the beginning of a marker
    _line: str = ""  # the line of the answer so far
    _begins_line: bool = True  # whether the sentence is the first one of its line
    _sentence: str = ""
    _raw: str = ""  # the sentence with the markers of the model
    _cited: list[int] = field(default_factory=list)  # the passages that the model names in the sentence
    _reported_markers: int = 0  # how many markers `new_markers` has returned
    _reported_sentences: int = 0
    _after_marker: bool = False
    _code: str = ""  # the backticks that end the code, if the text is in code
    _header: list[str] = field(default_factory=list)  # the cells of a table's first row

    def __post_init__(self) -> None:
        self._sources = Sources(self.passages)

    @property
    def attribution(self) -> dict[int, bool]:
        """The number of each cited passage, and whether all of its citations are attributed."""
        numbers: dict[int, bool] = {}
        for claim in self.claims:
            numbers[claim.number] = numbers.get(claim.number, True) and claim.marker.attributed
        return numbers

    def spans(self, number: int) -> tuple[tuple[int, int], ...]:
        """For each marker of a passage, in the order of the answer, the part of its text that supports the claim."""
        return tuple((claim.start, claim.end) for claim in self.claims if claim.number == number)

    def feed(self, text: str) -> str:
        """Return the part of the answer that is final after `text`."""
        return "".join(self._settle(self._pending + text, last=False)) if self.passages else text

    def may_check(self, text: str) -> bool:
        """Return whether a sentence or a row can end when `text` is fed, and is checked then."""
        waiting = self._pending + text
        return bool(_END.search(self._sentence + waiting)) or len(waiting) >= _MAX_ROW

    def flush(self, *, finished: bool = True) -> str:
        """Return the rest of the answer; a last sentence that isn't `finished` isn't checked."""
        return "".join(self._settle(self._pending, last=True, finished=finished))

    def new_markers(self) -> list[Marker]:
        """Return the markers that were added since the last call."""
        markers = [claim.marker for claim in self.claims[self._reported_markers :]]
        self._reported_markers = len(self.claims)
        return markers

    def new_sentences(self) -> list[Sentence]:
        """Return the sentences that were finished since the last call."""
        sentences = self.sentences[self._reported_sentences :]
        self._reported_sentences = len(self.sentences)
        return sentences

    def _settle(self, text: str, *, last: bool, finished: bool = True) -> Iterator[str]:
        position = 0
        while position < len(text):
            step = self._step(text, position, last)
            if step is None:
                break
            output, position = step
            self._length += len(output)
            yield output
        self._pending = text[position:]
        if last and finished:
            output = self._close_sentence()
            self._length += len(output)
            yield output

    def _step(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        """Return the output for the text at `position` and where to continue, or None if more text is needed first."""
        character = text[position]
        if character == "`":
            return self._backticks(text, position, last)
        if self._code:
            if self._code != "```" and character == "\n":  # a single backtick in a sentence isn't code
                self._code = ""
            return self._take(character), position + 1
        if not self._line:
            end = self._row_end(text, position, last)
            if end is None:
                return None
            if end > position:
                return self._cite_row(text[position:end]), end
        if self._after_marker:
            return self._after_marker_text(text, position, last)
        if character in BRACKETS:
            if marker := parse_marker(text, position):
                self._add_model_marker(marker.numbers, marker.text, is_range=marker.is_range)
                return "", marker.end
            if not last and is_marker_prefix(text, position):
                return None
        if character.isspace() or self._sentence.endswith(_FULL_STOPS):
            return self._space(text, position, last)
        if word := _WORD.match(text, position):  # nothing in it needs a look of its own
            # The rest is taken next: a long sentence is cut at the same place, however its text arrives.
            room = max(1, _MAX_SENTENCE - len(self._sentence) % _MAX_SENTENCE)
            return self._take(word[0][:room]), min(word.end(), position + room)
        return self._take(character), position + 1

    def _space(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        """Return the white space at `position`, unless a marker follows, after the markers of a finished sentence."""
        character, following = text[position], _SPACE.match(text, position).end()  # type: ignore[union-attr]
        begins_marker = text[following : following + 1] in BRACKETS
        marker = parse_marker(text, following) if begins_marker else None
        if (
            not last
            and not marker
            and (following == len(text) or (begins_marker and is_marker_prefix(text, following)))
        ):
            return None
        if marker and "\n" not in text[position:following] and following > position:
            return "", following
        ends = self._ends_sentence(character)
        if ends and not is_wrapped(self._line, text[position:following], text[following : following + 1]):
            return self._close_sentence() + self._take(character), position + 1
        return self._take(character), position + 1

    def _take(self, text: str) -> str:
        if len(self._sentence) >= _MAX_SENTENCE:
            self._reset_sentence()
        if not self._sentence.strip():
            self._begins_line = not self._line.strip()
        self._sentence += text
        self._raw += text
        self._line = "" if text == "\n" else self._line + text if len(self._line) < _MAX_ROW else self._line
        if text.strip():
            self._after_marker = False
        return text

    def _backticks(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        run = _BACKTICKS.match(text, position)[0]  # type: ignore[index]  # the text at `position` is a backtick
        if not last and position + len(run) == len(text):
            return None
        fence = "`" * min(len(run), 3)
        if not self._code:
            self._code = fence
        elif self._code == fence:
            self._code = ""
        if fence == "```":
            self._reset_sentence()
        return self._take(run), position + len(run)

    def _after_marker_text(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        """Drop the link target after a marker of the model, which must not become a link of the text before it."""
        end = link_target_end(text, position)
        if end is None and not last and is_link_target_prefix(text, position):
            return None
        self._after_marker = False
        if end is not None:
            return "", end
        # The white space before the marker is gone as well.
        joins = self._sentence.strip() and (text[position].isalnum() or text[position] == "(")
        return (self._take(" "), position) if joins else self._step(text, position, last)

    def _ends_sentence(self, following: str) -> bool:
        if not self._sentence.strip():
            return False
        return following == "\n" or ends_sentence(self._sentence.rstrip())

    def _add_model_marker(self, numbers: Sequence[int], text: str, *, is_range: bool) -> None:
        """Remember the passages that the model names; count those that don't exist, or that the document wrote."""
        quoted_from = self._sources.quoting(self._raw, text)
        valid = [n for n in numbers if 1 <= n <= len(self.passages) and (not quoted_from or n in quoted_from)]
        unknown = len(numbers) - len(valid)
        self.invalid_markers += min(unknown, 1) if is_range else unknown
        self._cited += [number for number in valid if number not in self._cited]
        self._raw = self._raw[-_MAX_SENTENCE:] + text
        self._after_marker = True

    def _reset_sentence(self) -> None:
        self._sentence, self._raw, self._cited = "", "", []

    def _close_sentence(self) -> str:
        """Return the markers of the sentence that ends here; a short piece joins the next sentence of its line."""
        first_line = self._sentence.lstrip("\n")
        skipped = len(self._sentence) - len(first_line)
        lead = text_start(first_line) if self._begins_line else 0
        lead += len(first_line[lead:]) - len(first_line[lead:].lstrip())
        claim = first_line[lead:].rstrip()
        if self._code or not claim:
            return ""
        start = self._length - len(self._sentence) + skipped + lead
        output = self._cite(claim, start, claim, None if is_heading(self._line) else self._length)
        self._reset_sentence()
        return output

    def _cite(self, text: str, start: int, claim: str, position: int | None) -> str:
        """Record the verdict on `claim`, whose `text` begins at `start`, and return its markers for `position`."""
        verdict = self.verifier.check(claim.replace("\n", " "), self._cited)
        if verdict is None:  # it claims nothing: the model may say where it comes from
            evidence = [Evidence(number, *self._sources.best_span(number, claim)) for number in self._cited]
        else:
            evidence = list(verdict.evidence)
        output = "" if position is None else self._markers(evidence, position)
        if verdict:
            numbers = tuple(each.number for each in evidence) if output else ()
            self.sentences.append(Sentence(start, start + len(text), verdict.supported, numbers))
        return output

    def _markers(self, evidence: Sequence[Evidence], position: int) -> str:
        """Add a claim for each piece of evidence and return their markers, to stand at `position` of the answer."""
        output = " " if evidence else ""
        for each in evidence:
            marker = Marker(position + len(output), each.number, attributed=each.number not in self._cited)
            self.claims.append(Claim(marker, each.start, each.end))
            output += marker.text
        return output

    def _row_end(self, text: str, position: int, last: bool) -> int | None:
        """Return the end of the table's row that begins at `position`, `position` if none does, or None to wait."""
        end = text.find("\n", position)
        line = text[position : end if end >= 0 else None]
        if not is_row(line):
            unknown = end < 0 and not last and not line.strip() and len(line) < _MAX_RUN
            self._header = self._header if unknown else []
            return None if unknown else position
        return None if end < 0 and not last and len(line) < _MAX_ROW else position + len(line)

    def _cite_row(self, line: str) -> str:
        """Return a row with the markers of its cells; the first row of a table names the columns."""
        self._reset_sentence()
        self._line = line  # until the line break
        cells = [line[start:end] for start, end in row_cells(line)]
        if not self._header or is_delimiter_row(line):
            self._header = self._header or cells
            return line
        output, position = "", 0
        for column, (start, end) in enumerate(row_cells(line)):
            output += line[position:start]
            output += self._cite_cell(line[start:end], cells[0] if column else "", column, self._length + len(output))
            position = end
        return output + line[position:]

    def _cite_cell(self, cell: str, label: str, column: int, position: int) -> str:
        """Return a cell without the model's markers, and with those of its evidence; the first one is a label."""
        text = self._without_model_markers(cell)
        if not column or not text:
            return text
        header = self._header[column] if column < len(self._header) and find_figures(text) else ""
        return text + self._cite(text, position, f"{label} {header}: {text}", position + len(text))

    def _without_model_markers(self, cell: str) -> str:
        parts, position, start = list[str](), 0, 0
        self._reset_sentence()
        while position < len(cell):
            if cell[position] in BRACKETS and (marker := parse_marker(cell, position)):
                parts.append(cell[start:position].rstrip())
                self._raw = ""
                self._add_model_marker(marker.numbers, marker.text, is_range=marker.is_range)
                position = start = link_target_end(cell, marker.end) or marker.end
            else:
                position += 1
        self._after_marker = False
        return "".join([*parts, cell[start:]]).strip()
