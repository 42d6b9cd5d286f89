"""The page of costs: what the gateway's ledger says of owners, targets and days, or how to connect it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import streamlit as st

from backends import SpaceportError
from dashboard_pages import layout, strings

# A published Space has neither the gateway's code nor SQLAlchemy, so this module imports them only for the page.
if TYPE_CHECKING:
    from ledger_report.reading import LedgerReader, LedgerReading

CACHE_SECONDS = 10
NEWEST, ALL_TIME = "newest", None
BY_DAY = next(iter(strings.GROUPS))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database said: a reading with its charts by their titles, or an error."""

    reading: LedgerReading | None = None
    charts: Mapping[str, Any] = field(default_factory=dict)
    error: SpaceportError | None = None


def is_here() -> bool:
    """Return whether the page can be shown. Bills are nobody else's business: a published Space never has it."""
    return all(map(find_spec, ("gateway", "sqlalchemy")))


def page() -> None:
    """Draw the ledger if SPACEPORT_DATABASE_URL is set, or how to set it."""
    from ledger_report.reading import database_url

    layout.header(strings.COSTS, strings.COSTS_SUBTITLE)
    try:
        url = database_url(os.environ)
    except SpaceportError as error:
        layout.show_error(error)
        return
    if url is None:
        st.info(strings.NO_LEDGER)
        return
    with st.container(horizontal=True):
        by = st.segmented_control(strings.BY, list(strings.GROUPS), default=BY_DAY, required=True, key="bill_group")
        month = _select_month(url)
    group = strings.GROUPS[by or BY_DAY]  # a client without a browser can select none
    answer = ask(url, group, month)
    if answer.error:
        layout.show_error(answer.error)
    elif answer.reading is None or not answer.reading.months:
        st.info(strings.EMPTY_LEDGER)
    else:
        _draw(answer.reading, answer.charts, group)


def _select_month(url: str) -> str | None:
    """Return the selected month, None for all time; the newest one until the visitor selects another."""
    first = ask(url, "day", NEWEST).reading
    months = list(first.months) if first else []
    if not months:
        return NEWEST
    month = st.selectbox(strings.MONTH, [*months, strings.ALL_TIME], key="bill_month", width=180)
    return month if month in months else ALL_TIME


@st.cache_resource(show_spinner=False, max_entries=2)
def _reader(url: str) -> LedgerReader:
    from ledger_report.reading import LedgerReader

    return LedgerReader(url)


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=64, show_spinner=strings.READING_LEDGER)
def ask(url: str, group: str, month: str | None) -> Answer:
    """Read and draw the ledger once for all visitors; a failure is kept too, or every visitor would wait for it."""
    from ledger_report.charts import draw_charts

    try:
        reading = _reader(url).read(group, month)
        return Answer(reading, draw_charts(reading.lines, group))
    except SpaceportError as error:
        return Answer(error=error)


def _draw(reading: LedgerReading, charts: Mapping[str, Any], group: str) -> None:
    from ledger_report import table

    with st.container(horizontal=True, key="figures"):
        for name, text in table.totals(reading.lines).items():
            st.metric(name, text, width="content")
    if not reading.lines:
        st.info(strings.NO_BILLS.format(month=reading.month))
        return
    if unknown := sum(line.unknown_cost for line in reading.lines):
        st.caption(strings.UNKNOWN_COST.format(count=strings.requests(unknown)))
    layout.show_charts(charts, f"bill-{group}")
    st.html(table.table_html(reading.lines, group, strings.TABLE_LABEL))
    st.download_button(
        strings.LEDGER_CSV, table.csv_text(reading.lines, group), f"ledger-{group}-{reading.month or 'all'}.csv",
        "text/csv", key="download.ledger", on_click="ignore",
    )  # fmt: skip
    st.caption(strings.LEDGER_NOTE)
