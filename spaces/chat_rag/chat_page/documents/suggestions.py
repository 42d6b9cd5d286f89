"""Questions that a visitor's documents can answer, to begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest

from chat_page.strings import Strings
from chat_page.translations.languages import strings, strings_of
from rag.answering.evidence.summary import has_key_sentences
from rag.documents import Document
from rag.reading.markdown.headings import find_headings
from rag.search.languages import detect_language

COUNT = 3
READ = 200_000  # characters of a document in which headings are looked for
SAMPLE = 50  # the documents of a library of which some are asked about
_FEWEST_WORDS = 40  # of fewer words, the language is a guess
# Headings of every text say nothing about this one; a question needs words, and has to fit a card.
_GENERAL = re.compile(
    r"(table of )?contents|introduction|overview|summary|conclusions?|references|appendix.*|index"
    r"|notes?|tips?|warnings?|examples?|added|changed|fixed|removed|sheet ?\d*",
    re.IGNORECASE,
)
_SECTION_NUMBER = re.compile(r"^(?:[A-Z]\.)?(?:\d{1,2}\.){1,6}\d{0,3}\s+")
_DECIMAL = re.compile(r"\d+\.\d+\s+")
_LENGTH = range(4, 61)
# The text of a PDF has no marks at its headings: they are lines without a full stop, above a paragraph's first line.
_TITLE_LINE = re.compile(r"^([^\W\d_][^\n|.;:,\d]{3,59})\n(?=[^\W\d_][^\n|]{79})", re.MULTILINE)
_TITLE_WORD = re.compile(r"[^\W\d_][\w’'-]{3,}")  # shorter ones, such as "and", are often written small
_MOST_TITLES = 200


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
    words = strings_of_document(document)
    if not topics and has_key_sentences(document):
        yield words.fill(words.summary_question, name=document.name)
    for heading in topics[:COUNT]:
        yield words.fill(words.heading_question, name=document.name, heading=f"“{heading}”")


def strings_of_document(document: Document) -> Strings:
    """Return the strings of a document's language: the default embedding model knows no other one to ask it in."""
    if len(document.text[:2_000].split()) < _FEWEST_WORDS:  # its language would be a guess
        return strings()
    return strings_of(detect_language(document.text))


def _own_topics(document: Document) -> list[str]:
    """Return the headings that say more than the name of the document."""
    topics = [*_topics(document)] or _title_lines(document.text[:READ])
    return [topic for topic in dict.fromkeys(topics) if topic.casefold() not in document.name.casefold()]


def _topics(document: Document) -> Iterator[str]:
    """The last parts of the headings; those below the title come first."""
    paths = [heading.path for heading in find_headings(document.text[:READ])]
    for path in sorted(paths, key=lambda path: " > " not in path):  # a title alone is the whole document
        if topic := heading_topic(path):
            yield topic


def heading_topic(path: str) -> str:
    """Return what the last part of a heading's path is about, or "" if it says nothing of its own."""
    heading = _without_number(" ".join(re.sub(r"[*_`#]", "", path.rpartition(" > ")[2]).split()))
    return heading if _is_topic(heading) else ""


def _without_number(heading: str) -> str:
    """Return a heading without the number of its section; "3.5 million users" begins with a quantity."""
    number = _SECTION_NUMBER.match(heading)
    rest = heading[number.end() :] if number else heading
    return heading if number and _DECIMAL.fullmatch(number[0]) and rest[:1].islower() else rest


def _title_lines(text: str) -> list[str]:
    """Return lines that look like headings and that the text mentions again.

    Those that are in labels of table rows come first, because a row answers exactly; then the most mentioned.
    """
    lines = islice((match[1].strip() for match in _TITLE_LINE.finditer(text)), _MOST_TITLES)
    titles = [title for title in dict.fromkeys(lines) if _is_topic(title) and _is_title(title)]
    folded = text.casefold()
    labels = "\n".join(line.partition("|")[0] for line in folded.splitlines() if "|" in line)
    mentions = {title: (title.casefold() in labels, folded.count(title.casefold())) for title in titles}
    return sorted((title for title in titles if mentions[title][1] > 1), key=mentions.__getitem__, reverse=True)


def _is_title(line: str) -> bool:
    """Return whether a line has two words or more that begin with a capital letter, and no long one that doesn't."""
    words = _TITLE_WORD.findall(line)
    return len(words) > 1 and all(word[0].isupper() for word in words) and not line.isupper()


def _is_topic(heading: str) -> bool:
    return len(heading) in _LENGTH and not _GENERAL.fullmatch(heading) and any(map(str.isalpha, heading))
