"""Finds how a table in a text file separates and quotes its cells, and reads its rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rag.errors import DocumentError
from rag.reading.formats.delimited.header import is_number

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 64_000
_SEPARATOR_LINE = re.compile(r'\s*+"?sep=([^\r\n"]|\\t)"?[ \t]*+(?:\r\n|\r|\n|\Z)', re.I)
# A quote after a backslash inside a cell; before a delimiter the backslash can be the cell's last character.
_ESCAPED_QUOTE = {quote: re.compile(rf"\\{quote}[^,;\t|\r\n]") for quote in "\"'"}
_SINGLE_QUOTE = re.compile("'")
_DECIMAL = re.compile(r"[+-]?\d++,\d++")
_LIST = re.compile(r",(?!\d)|(?<!\d),")  # a comma that isn't between the digits of a decimal


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are separated and quoted; the rows begin at the character `start`."""

    delimiter: str
    start: int = 0
    backslash: bool = False
    quote: str = '"'

    def reader(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """Return an iterator over rows; spaces after a delimiter don't count."""
        escape = "\\" if self.backslash else None
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            skipinitialspace=True,
            escapechar=escape,
            strict=strict,
        )


def find_dialect(text: str, delimiters: str = _DELIMITERS) -> Dialect:
    """Return the dialect that gives most rows the same number of cells, or the one that a line `sep=` names.

    csv.Sniffer isn't used: it can guess a letter, and it can be slow.
    """
    start = 0
    if match := _SEPARATOR_LINE.match(text):
        delimiters, start = match[1].replace("\\t", "\t"), match.end()
    sample = text[start : start + _SAMPLE_CHARACTERS]
    if len(text) - start > _SAMPLE_CHARACTERS:
        sample = sample[: sample.rfind("\n") + 1] or sample
    sample, candidates = _candidates(text, sample, delimiters, start)
    scores = {}
    for dialect in candidates:
        rows = [row for row in dialect.reader(io.StringIO(sample, newline="")) if row]
        if score := _score(rows, sample, dialect.delimiter):
            scores[dialect] = (*score, -_errors(dialect, sample), dialect.backslash)
    if any(score[0] == 1 and dialect.delimiter != "," for dialect, score in scores.items()) and not _LIST.search(
        sample
    ):
        scores = {dialect: score for dialect, score in scores.items() if dialect.delimiter != ","}
    if not scores:
        return _single_column(Dialect(delimiters[0] if match else "\0", start), sample)
    return max(scores, key=lambda dialect: scores[dialect])


def _single_column(plain: Dialect, sample: str) -> Dialect:
    """Return the dialect of a file without a delimiter, with backslashes before its quotes if they are evident."""
    escaped = replace(plain, backslash=True)
    has_escapes = bool(_ESCAPED_QUOTE[plain.quote].search(sample))
    return escaped if has_escapes and _errors(escaped, sample) <= _errors(plain, sample) else plain


def _candidates(text: str, sample: str, delimiters: str, start: int) -> tuple[str, list[Dialect]]:
    """Return the sample with later lines that can have escaped quotes, and the dialects to compare on it.

    If single quotes are evident, no dialect has double quotes.
    """
    quote, chosen, rest = '"', delimiters, start + len(sample)
    later = _lines_with(_SINGLE_QUOTE, text, rest)
    samples = [sample, sample + later] if later else [sample]
    is_whole = rest == len(text)
    if single := [
        each for each in delimiters if any(_has_single_quotes(part, each, is_whole=is_whole) for part in samples)
    ]:
        quote, chosen = "'", "".join(single)
    sample += _lines_with(_ESCAPED_QUOTE[quote], text, rest)
    backslashes = (False, True) if _ESCAPED_QUOTE[quote].search(sample) else (False,)
    return sample, [Dialect(delimiter, start, backslash, quote) for delimiter in chosen for backslash in backslashes]


def _lines_with(pattern: re.Pattern[str], text: str, start: int) -> str:
    """Return the first lines after a position that match: a file can quote only what needs it."""
    lines: list[str] = []
    length, end = 0, start
    while length < _SAMPLE_CHARACTERS and (found := pattern.search(text, end)):
        place = found.start()
        first, end = max(text.rfind("\n", end, place) + 1, end), text.find("\n", place) + 1 or len(text)
        lines.append(text[first:end])
        length += len(lines[-1])
    return "".join(lines)[:_SAMPLE_CHARACTERS]


def _has_single_quotes(sample: str, delimiter: str, *, is_whole: bool) -> bool:
    """Return whether cells are quoted with single quotes.

    Each one that is opened is closed at the end of a cell, and most texts are in them or rows are more even with them.
    """
    if sample.count("'") < 4:
        return False
    lines = io.StringIO(sample, newline="")
    plain = list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=True))
    starts = Counter(cell[:1] for row in plain for cell in row)
    if starts["'"] < 2 or starts['"']:
        return False
    rows: list[list[str]] = []
    dialect = Dialect(delimiter, backslash=bool(_ESCAPED_QUOTE["'"].search(sample)), quote="'")
    try:
        rows.extend(dialect.reader(io.StringIO(sample, newline=""), strict=True))
    except csv.Error as error:
        if is_whole or "end of data" not in str(error):
            return False
    texts = sum(1 for row in rows for cell in row if cell.strip() and not is_number(cell))
    return 2 * starts["'"] >= texts or _usual_width(rows)[1] > _usual_width(plain)[1]


def _errors(dialect: Dialect, sample: str) -> int:
    """Return how many rows have text after a closing quote: the wrong dialect closes a cell too early."""
    reader = dialect.reader(io.StringIO(sample, newline=""), strict=True)
    count = 0
    while True:
        try:
            for _ in reader:
                pass
        except csv.Error:
            count += 1
        else:
            return count


def _usual_width(rows: Iterable[list[str]]) -> tuple[int, float]:
    """Return how many cells most rows have, more than one if any has, and their share."""
    widths = Counter(len(row) for row in rows if row)
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return width, count / max(widths.total(), 1)


def _score(rows: list[list[str]], sample: str, delimiter: str) -> tuple[float, float, int] | None:
    """Return the share of rows with the usual number of cells, the share of numbers, and that number of cells."""
    width, share = _usual_width(rows)
    if width == 1 or (len(rows[0]) == 1 and _is_punctuation(rows, sample, delimiter)):
        return None
    cells = [cell for row in rows[:200] for cell in row]
    return share, sum(map(is_number, cells)) / len(cells), width


def _is_punctuation(rows: list[list[str]], sample: str, delimiter: str) -> bool:
    """Return whether the commas are those of sentences or of decimals, in a file of one column."""
    if delimiter not in ",;":
        return False
    values = [delimiter.join(row) for row in rows if len(row) > 1]
    if delimiter == "," and all(_DECIMAL.fullmatch(value.strip()) for value in values):
        return True
    in_sentences = 2 * sample.count(f"{delimiter} ") >= sample.count(delimiter)
    return in_sentences and not any(is_number(cell) for row in rows for cell in row[1:])


def read_rows(text: str, dialect: Dialect, name: str) -> Iterator[list[str]]:
    """Yield the rows, empty for one without text; raise `DocumentError` for a quote that is never closed."""
    lines: list[str] = []

    def recorded() -> Iterator[str]:
        for line in io.StringIO(text[dialect.start :], newline=""):
            lines.append(line)
            yield line

    reader = dialect.reader(recorded())
    line_number = 1 + text.count("\n", 0, dialect.start)
    while True:
        lines.clear()
        try:
            row = next(reader, None)
            if len(lines) > 1 or (lines and lines[0].count(dialect.quote) % 2):
                _check_quotes(lines, dialect)
        except csv.Error as error:
            raise DocumentError(
                f"“{name}” has a quote in line {line_number:,} that is never closed.",
                "Close it, or write it twice if it is part of the text.",
            ) from error
        if row is None:
            return
        line_number += len(lines)
        yield row if any(cell.strip() for cell in row) else []


def _check_quotes(lines: list[str], dialect: Dialect) -> None:
    """Raise `csv.Error` if a row ends inside a quote, or has several lines and text after a quote."""
    try:
        for _ in dialect.reader(lines, strict=True):
            pass
    except csv.Error as error:
        if len(lines) > 1 or "end of data" in str(error):
            raise
