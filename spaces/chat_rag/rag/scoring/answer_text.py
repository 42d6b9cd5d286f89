"""The statements of an answer: its sentences, cells and fields, without markers and formatting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rag.answering.citations.markers import without_model_markers
from rag.answering.numbers import SCALE
from rag.answering.verification.sentences.lines import is_delimiter_row, is_row, row_cells, text_start
from rag.answering.verification.support import sentence_spans

# What is after these many characters of an answer, or of a sentence, isn't read: nobody would, and patterns get slow.
MAX_CHARACTERS, _MAX_STATEMENT = 20_000, 1_000
_FENCE = re.compile(r"```\w{0,20}[ \t]*\n")
# LaTeX of models that write formulas: \text{ million}, \boxed{12}, \$, \, and the marks of a formula.
_LATEX = (
    (re.compile(r"\\(?:text|mathrm|mathbf|boxed)\s?\{([^{}]{0,200})\}"), r"\1"),
    (re.compile(r"\\([$%&#_])"), r"\1"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]|\\[()\[\]]"), " "),
    (re.compile(r"\\approx|\\sim"), "≈ "),
)
_EMPHASIS = re.compile(r"\*{1,3}|_{2,3}|`{1,3}|~~|</?(?:b|i|em|strong|u|br|p)\s?/?>")
_KEY = re.compile(r"[_\W]+|(?<=[a-z])(?=[A-Z])")
_UNITS = frozenset({"scale", "multiplier", "magnitude", "unit", "units", "currency"})
_SCALE_WORD = re.compile(SCALE)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def plain_text(answer: str) -> str:
    """Return an answer without citation markers and formatting; of JSON, a line for each field."""
    text = without_model_markers(answer[:MAX_CHARACTERS])
    value = parse_json(text)
    if isinstance(value, dict | list):
        with suppress(RecursionError):
            return "\n".join(_fields(value, ""))
    if isinstance(value, str):
        text = value
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return _EMPHASIS.sub("", text).strip()


def parse_json(text: str) -> Any:
    """Return the value if a text is JSON, with or without a fence around it, else None."""
    body = text.strip()
    if (fence := _FENCE.match(body)) and body.endswith("```"):
        body = body[fence.end() : -len("```")].strip()
    if not body.startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def statements(text: str) -> list[str]:
    """Return the sentences of a plain text; of a table each cell, with its row and column before it."""
    return [statement for part in _blocks(text) for statement in part]


def count_words(text: str) -> int:
    """Return the number of words of a plain text; in Chinese and Japanese each character is one."""
    return len(_WORD.findall(text))


def _fields(value: Any, name: str) -> Iterator[str]:
    """Yield a line for each object that holds values: "gross profit: 4,648, unit: million"."""
    if isinstance(value, list):
        for each in value:
            yield from _fields(each, name)
    elif isinstance(value, dict):
        own = [(key, each) for key, each in value.items() if not isinstance(each, dict | list)]
        if own:
            yield f"{name} {_joined(own)}".strip()
        for key, each in value.items():
            if isinstance(each, dict | list):
                yield from _fields(each, f"{name} {_words(key)}".strip())
    else:
        yield f"{name}: {_scalar(value)}" if name else _scalar(value)


def _joined(fields: list[tuple[str, Any]]) -> str:
    """Return fields as one statement; the scale and the unit of a number stand right after it."""
    parts: list[str] = []
    is_number = False
    for key, value in _scales_first(fields):
        is_unit = isinstance(value, str) and not any(map(str.isdigit, value))
        if is_unit and parts and (parts[-1][-1:].isdigit() or (is_number and key.casefold() in _UNITS)):
            parts[-1] += f" {value}"
            is_number = True
        else:
            parts.append(f"{_words(key)}: {_scalar(value)}")
            is_number = False
    return "; ".join(parts)


def _scales_first(fields: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the fields of one number with its scale and its unit right after it."""
    numbers = [field for field in fields if isinstance(field[1], int | float) and not isinstance(field[1], bool)]
    if len(numbers) != 1:
        return fields
    units = [field for field in fields if isinstance(field[1], str) and field[0].casefold() in _UNITS]
    units.sort(key=lambda field: not _SCALE_WORD.fullmatch(field[1].strip()))
    others = [field for field in fields if field not in units]
    at = others.index(numbers[0]) + 1
    return [*others[:at], *units, *others[at:]]


def _words(key: str) -> str:
    return _KEY.sub(" ", key).strip()


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _blocks(text: str) -> Iterator[list[str]]:
    """Yield the statements of each line of a table, and those of the text between tables."""
    prose: list[str] = []
    header: list[str] = []
    for line in text.splitlines():
        if is_row(line):
            yield _sentences(prose)
            prose = []
            cells = [line[start:end] for start, end in row_cells(line)]
            if header and not is_delimiter_row(line):
                named = zip(header[1:], cells[1:], strict=False)
                yield [f"{cells[0]} {name}: {cell}"[:_MAX_STATEMENT] for name, cell in named if cell]
            header = header or cells
        else:
            header = []
            prose.append(line[text_start(line) :])
    yield _sentences(prose)


def _sentences(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    return [text[start : min(end, start + _MAX_STATEMENT)] for start, end in sentence_spans(text)]
