"""Tables as HTML, in which everything is escaped and every term has its explanation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from compare.report.words.glossary import explanation, term_button, term_html, term_tip


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table; those after the first `text_columns` are numbers.

    `key` is unique on the page. Where a row is a card, each cell has its column's name in it, because there are no
    headers. A term opens the same tip in both.
    """

    headers: Sequence[str]
    key: str
    text_columns: int = 1

    def head(self) -> str:
        """Return the headers as a row; an empty one without any names."""
        names = self.headers if any(self.headers) else ()
        cells = "".join(
            f"<th{self._attribute(place)}>{term_button(name, self._key(place))}</th>"
            for place, name in enumerate(names)
        )
        return f"<thead><tr>{cells}</tr></thead>"

    def row(self, texts: Sequence[str], row_key: str = "") -> str:
        """Return a row; with a key, which is unique on the page, its first cell is a term."""
        first = [term_html(texts[0], row_key)] if row_key else [escape(text) for text in texts[:1]]
        cells = "".join(self._cell(html, place) for place, html in enumerate([*first, *map(escape, texts[1:])]))
        return f'<tr class="sp-row">{cells}</tr>'

    def tips(self) -> str:
        """Return what the terms of the headers mean, for behind the table: a phone doesn't show its headers."""
        return "".join(term_tip(name, self._key(place)) for place, name in enumerate(self.headers))

    def _cell(self, html: str, place: int) -> str:
        header = self.headers[place]
        if explanation(header):
            return f"<td{self._attribute(place)}>{term_button(header, self._key(place), in_cell=True)}{html}</td>"
        label = f' data-label="{escape(header)}"' if header else ""
        return f"<td{self._attribute(place)}{label}>{html}</td>"

    def _key(self, place: int) -> str:
        return f"{self.key}-{place}"

    def _attribute(self, place: int) -> str:
        return "" if place < self.text_columns else ' class="sp-num"'


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    key: str,
    text_columns: int = 1,
    row_terms: bool = False,
) -> str:
    """Return an HTML table, whose rows are cards on a phone; with `row_terms`, each begins with a term."""
    columns = Columns(headers, key, text_columns)
    body = "".join(columns.row(row, f"{key}-row-{number}" if row_terms else "") for number, row in enumerate(rows))
    return f'<div class="sp-table"><table>{columns.head()}<tbody>{body}</tbody></table>{columns.tips()}</div>'
