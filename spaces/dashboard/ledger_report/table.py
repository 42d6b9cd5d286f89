"""The ledger's lines as totals, as an HTML table and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from html import escape

from compare.report.words.formats import MISSING, milliseconds, percent, usd
from gateway.billing import money
from gateway.commands.report import csv_rows
from gateway.database.report import ReportLine

NO_NAME = "(none)"  # the target of a request that named none of the catalogue
COLUMNS = ("Cost, USD", "Requests", "Failed", "Refused", "Cancelled", "From cache", "Tokens in", "Tokens out",
           "Pictures", "First token, ms")  # fmt: skip
_COUNTS = [field.name for field in fields(ReportLine) if field.type == "int"]


def total(lines: Sequence[ReportLine]) -> ReportLine:
    """Return the sum of all lines; the time to the first token has none."""
    sums = {name: sum(getattr(line, name) for line in lines) for name in _COUNTS}
    return ReportLine("", **sums, first_token_seconds=None)


def cost_usd(line: ReportLine) -> float:
    """Return the cost in USD."""
    return line.cost / money.NANO


def cache_share(line: ReportLine) -> float | None:
    """Return the share of the requests whose answer was stored, or shared with another request."""
    return line.from_cache / line.requests if line.requests else None


def totals(lines: Sequence[ReportLine]) -> dict[str, str]:
    """Return the numbers of all lines together, as text by their names."""
    line = total(lines)
    return {
        "Cost": f"{usd(cost_usd(line))} USD",
        "Requests": f"{line.requests:,}",
        "Tokens": f"{line.input_tokens + line.output_tokens:,}",
        "Failed requests": f"{line.errors:,}",
        "Refused by the gateway": f"{line.refused:,}",
        "From the cache": percent(cache_share(line)),
    }


def table_html(lines: Sequence[ReportLine], group: str, label: str) -> str:
    """Return the lines as a table: days in their order, owners and targets by their cost, the highest first."""
    rows = lines if group == "day" else sorted(lines, key=lambda line: -line.cost)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (group.capitalize(), *COLUMNS))
    return (
        f'<div class="sp-ledger" tabindex="0" role="group" aria-label="{escape(label)}"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(map(_row, rows))}</tbody></table></div>"
    )


def csv_text(lines: Sequence[ReportLine], group: str) -> str:
    """Return what `python -m gateway report --csv` prints."""
    out = io.StringIO()
    csv.writer(out).writerows(csv_rows(lines, group))
    return out.getvalue()


def _row(line: ReportLine) -> str:
    first = None if line.first_token_seconds is None else line.first_token_seconds * 1000
    cost = MISSING if line.unknown_cost == line.requests else usd(cost_usd(line))
    counts = (line.requests, line.errors, line.refused, line.cancelled, line.from_cache)
    used = (line.input_tokens, line.output_tokens, line.pictures)
    texts = [cost, *(f"{count:,}" for count in (*counts, *used)), milliseconds(first)]
    cells = "".join(f"<td>{text}</td>" for text in texts)
    name = escape(line.name or NO_NAME)
    return f'<tr><th scope="row" title="{name}">{name}</th>{cells}</tr>'
