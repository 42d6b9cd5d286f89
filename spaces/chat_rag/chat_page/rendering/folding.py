"""Folds the end of a very long answer where Markdown can be cut: between paragraphs, items or rows, or before code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from chat_page.translations.languages import strings

# An answer folds that is more than twice as long; about 40 lines of it stay.
FOLD_CHARACTERS = 3_000
_FENCE = re.compile(r" {0,3}(`{3,}+(?=[^`]*$)|~{3,}+)(.*)")
_ITEM = re.compile(r"(?:[*+-]|\d{1,9}[.)])[ \t]")
_DELIMITERS = re.compile(r"\|[\s:|-]+")
# A line that goes on with a list or a quote, or begins a table.
_GOES_ON = re.compile(r"[\s>|*+\-\d]")


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place to cut, and what the rest needs to begin with: the head of its table."""

    at: int
    head: str = ""


@dataclass(slots=True)
class _Block:
    """What is known at a line: the mark of the code around it, where that begins, and the first rows of its table.

    `formulas` and `tags` count the marks of formulas, and the tags of the page that are open.
    """

    fence: str = ""
    fence_start: int = 0
    table: list[str] = field(default_factory=list)
    after_blank: bool = True
    formulas: int = 0
    tags: int = 0

    @property
    def in_markup(self) -> bool:
        """Whether the line goes on with a formula or a tag."""
        return self.formulas % 2 == 1 or self.tags > 0

    @property
    def head(self) -> str:
        """The head of the table that a row belongs to, or ""."""
        return "".join(self.table) if len(self.table) == 2 and _DELIMITERS.fullmatch(self.table[1].strip()) else ""

    def add(self, line: str, at: int) -> None:
        """Go on to the next line."""
        mark = _FENCE.match(line)
        if self.fence:
            is_end = mark and mark[1].startswith(self.fence) and not mark[2].strip()
            self.fence = "" if is_end else self.fence
        elif mark:
            self.fence, self.fence_start = mark[1], at
        self.table = [*self.table, line][:2] if line.startswith("|") else []
        self.after_blank = not line.strip()
        self.formulas += line.count("$$")
        self.tags += line.count("<span") - line.count("</span>")


def fold_end(markdown: str) -> str:
    """Return a long answer with all but its beginning folded."""
    words = strings()
    cut = _find_cut(markdown) if len(markdown) > 2 * FOLD_CHARACTERS else None
    if cut is None:
        return markdown
    beginning, rest = markdown[: cut.at].rstrip(), cut.head + markdown[cut.at :].rstrip()
    summary = words.fill(words.rest_of_answer, characters=len(rest) - len(cut.head))
    rest += f"\n{fence}" if (fence := _open_fence(rest)) else ""
    return f"{beginning}\n\n<details><summary>{summary}</summary>\n\n{rest}\n\n</details>".lstrip()


def _find_cut(markdown: str) -> _Cut | None:
    """Return the first place behind FOLD_CHARACTERS between two paragraphs; if that's far away, the first of any kind.

    Code is folded as a whole, so that it can be copied.
    """
    first: _Cut | None = None
    for at, line, block in _lines(markdown):
        if first and at > 2 * FOLD_CHARACTERS:
            break
        if at < FOLD_CHARACTERS or not line.strip() or block.in_markup:
            continue
        if block.fence:
            first = first or _Cut(block.fence_start)
        elif block.after_blank and not _GOES_ON.match(line):
            return _Cut(at)
        elif _ITEM.match(line) or (block.head and line.startswith("|")):
            first = first or _Cut(at, block.head)
    return first


def _lines(markdown: str) -> Iterator[tuple[int, str, _Block]]:
    """Yield each line with its place and the block that it goes on with."""
    at, block = 0, _Block()
    for line in markdown.splitlines(keepends=True):
        yield at, line, block
        block.add(line, at)
        at += len(line)


def _open_fence(markdown: str) -> str:
    """Return the mark of code that isn't closed, as in an answer that was stopped."""
    block = _Block()
    for line in markdown.splitlines(keepends=True):
        block.add(line, 0)
    return block.fence
