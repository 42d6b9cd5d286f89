"""Which names and years of a question the documents mention at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.answering.evidence.question_analysis.periods import CALENDAR
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import YEAR
from rag.answering.evidence.units.document_structure import structure_of
from rag.answering.evidence.units.per_document import PerDocument, text_blocks
from rag.answering.evidence.units.split import Unit
from rag.documents import Document

# A year that stands a few times only is a maturity date or a reference, not what a document is about.
_MIN_SHARE, _MAX_YEARS = 0.1, 6
# A document is about a name that stands in so many characters at its beginning, or so often in it.
_BEGINNING, _OFTEN = 3_000, 5
# A longer name is compared as it is: the check of its surroundings reads all of it at each place where it ends.
_LONGEST_NAME = 60
_ABBREVIATION = re.compile(r"[A-Z]{2,5}s?")
_lower_text = PerDocument(lambda document: f"{document.name}\n{document.text}".lower())
_years = PerDocument(
    lambda document: Counter(year for block in text_blocks(document.text) for year in YEAR.findall(block))
)


@dataclass(frozen=True, slots=True)
class Missing:
    """The names of a question if no document has any of them, and those of its years that no document has.

    A question can have a name that its document doesn't: "What did President Biden say?" of his own speech. `some`
    says that no document has any name of a group, "Marlowe" in "the population of Marlowe in the 1901 Census", or an
    identifier. An abbreviation alone is no such group: a document can have the words that it stands for.
    """

    names: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    some: bool = False


def find_missing(question: Question, documents: Iterable[Document]) -> Missing:
    """Return the names and years of the question that no document mentions, in its text or its name."""
    documents, names, years = list(documents), list(question.names), sorted(question.years)
    identifiers = list(question.identifiers)
    for document in documents:
        text = _lower_text.of(document) if names or years or identifiers else ""
        names = [name for name in names if not _mentions(text, name)]
        identifiers = [name for name in identifiers if name.lower() not in text]
        years = [year for year in years if not _has_year(document, text, year)]
    # "The RAM of Ubuntu" is about Ubuntu, though a document has "RAM"; "Vacation at IBM" is about IBM, if it is.
    subjects = [
        name
        for name in question.names
        if not _ABBREVIATION.fullmatch(name) or any(is_about(document, name) for document in documents)
    ] or question.names
    is_about_others = set(subjects) <= set(names)
    return Missing(
        tuple(name for name in names if name in subjects) if is_about_others else (),
        tuple(years),
        bool(identifiers)
        or any(group <= set(names) and not all(map(_ABBREVIATION.fullmatch, group)) for group in question.name_groups),
    )


def _has_year(document: Document, text: str, year: str) -> bool:
    """Return whether a document, with its text in lower case, mentions a year, or days of the fiscal year of this name.

    October 2022 can be in fiscal 2023, which a report needn't name.
    """
    if _mentions(text, year) or _mentions(text, f"fy{year[2:]}"):
        return True
    # The year before first: fiscal years are looked for in the whole text.
    return _mentions(text, str(int(year) - 1)) and structure_of(document).fiscal_years != CALENDAR


def documents_that_are_meant(question: Question, documents: Iterable[Document]) -> frozenset[str]:
    """Return the ids of the documents that are about a name of the question if one is about all; otherwise of all."""
    counts = {document.id: sum(is_about(document, name) for name in question.names) for document in documents}
    is_named = bool(question.names) and max(counts.values(), default=0) == len(question.names)
    return frozenset(document_id for document_id, count in counts.items() if count or not is_named)


def are_meant(question: Question, units: Sequence[Unit]) -> list[bool]:
    """Return whether each unit can be meant: its document is about a name of the question, or it has one itself.

    "Microsoft's revenue" isn't a figure of a report that only mentions Microsoft elsewhere.
    """
    documents = {unit.document.id: unit.document for unit in units}
    about = {key for key, each in documents.items() if any(is_about(each, name) for name in question.names)}
    return [not question.names or unit.document.id in about or _has_name(unit, question) for unit in units]


def is_about(document: Document, name: str, *, within: int = _BEGINNING) -> bool:
    """Return whether a document has a name in its own name, `within` its first characters, or often."""
    beginning = f"{document.name}\n{document.text[:within]}".lower()
    often = islice(_places(_lower_text.of(document), name), _OFTEN)
    return _mentions(beginning, name) or sum(1 for _ in often) == _OFTEN


def has_word_like(document: Document, word: str) -> bool:
    """Return whether a document has a word that begins as this one: "inventories" for "inventory"."""
    beginning = word.lower()[: max(4, len(word) - 3)]
    pattern = re.compile(rf"{re.escape(beginning)}(?<![^\W_]{re.escape(beginning)})")
    return any(pattern.search(block) for block in text_blocks(_lower_text.of(document)))


def _has_name(unit: Unit, question: Question) -> bool:
    introduction = unit.before if unit.cell else ""
    text = f"{unit.heading}\n{introduction}\n{unit.label}\n{unit.text}".lower()
    return any(_mentions(text, name) for name in question.names)


def covered_years(documents: Iterable[Document]) -> tuple[str, ...]:
    """Return the years that the documents are about, in their order."""
    counts = sum((_years.of(document) for document in documents), Counter[str]())
    most = max(counts.values(), default=0)
    years = [year for year, count in counts.most_common(_MAX_YEARS) if count >= _MIN_SHARE * most]
    return tuple(sorted(years))


def _mentions(text: str, name: str) -> bool:
    """Return whether a text in lower case has a name as a word, perhaps in another number or case."""
    return next(_places(text, name), None) is not None


def _places(text: str, name: str) -> Iterator[int]:
    """Yield the places of a name in a text in lower case; "program" has no "RAM"."""
    name = name.lower()
    if len(name) > _LONGEST_NAME:
        if name in text:
            yield text.index(name)
        return
    stem = re.escape(name[:-1] if len(name) > 4 and name.endswith("s") else name)
    # The stem comes first, so that the pattern is looked for as fast as a plain text.
    pattern = re.compile(rf"{stem}(?<![^\W_]{stem})(?![^\W\d_]{{2}})")
    for block in text_blocks(text):
        yield from (match.start() for match in pattern.finditer(block))
