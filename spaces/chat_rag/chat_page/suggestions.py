"""Questions that a visitor's documents can answer, to begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest

from chat_page.strings import Strings
from chat_page.translations.languages import strings, strings_of
from rag.documents import Document
from rag.reading.headings import find_headings
from rag.search.languages import detect_language

COUNT = 3
SAMPLE = 50  # the documents of a library of which some are asked about
_FEWEST_WORDS = 40  # of fewer words, the language is a guess
# Headings of every text say nothing about this one; a question needs words, and has to fit a card.
_GENERAL = re.compile(
    r"(table of )?contents|introduction|overview|summary|conclusions?|references|appendix.*|index", re.I
)
_LENGTH = range(4, 61)


def questions(documents: Sequence[Document]) -> tuple[str, ...]:
    """Return up to three questions: about headings of the newest documents, in turn, or what a document is about."""
    rounds = zip_longest(*(_of_document(document) for document in reversed(documents[-COUNT:])))
    return tuple(islice((question for each in rounds for question in each if question), COUNT))


def library_questions(documents: Iterable[Document]) -> tuple[str, ...]:
    """Return up to three questions to a library: about headings of its first documents that have some."""
    first = list(islice(documents, SAMPLE))
    return questions(([each for each in first if _own_topics(each)] or first)[:COUNT][::-1])


def _of_document(document: Document) -> Iterator[str]:
    topics = _own_topics(document)
    words = _strings(document)
    if not topics:
        yield words.fill(words.summary_question, name=document.name)
    for heading in topics[:COUNT]:
        yield words.fill(words.heading_question, name=document.name, heading=f"“{heading}”")


def _strings(document: Document) -> Strings:
    """The strings of the document's language: the default embedding model knows no other one to ask it in."""
    if len(document.text[:2_000].split()) < _FEWEST_WORDS:  # its language would be a guess
        return strings()
    return strings_of(detect_language(document.text))


def _own_topics(document: Document) -> list[str]:
    """Return the headings that say more than the name of the document."""
    return [topic for topic in dict.fromkeys(_topics(document)) if topic.casefold() not in document.name.casefold()]


def _topics(document: Document) -> Iterator[str]:
    """The last parts of the headings; those below the title come first."""
    paths = [heading.path for heading in find_headings(document.text[:200_000])]
    for path in sorted(paths, key=lambda path: " > " not in path):  # a title alone is the whole document
        heading = re.sub(r"[*_`#]", "", path.rpartition(" > ")[2]).strip()
        if len(heading) in _LENGTH and not _GENERAL.fullmatch(heading) and any(map(str.isalpha, heading)):
            yield heading
