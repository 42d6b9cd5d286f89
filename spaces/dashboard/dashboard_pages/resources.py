"""Objects that all visitors share, and the comparator's visitor of each session."""

from __future__ import annotations

import math
import secrets
import weakref
from pathlib import Path
from typing import cast

import streamlit as st

import compare
from backends import Backend, Catalog, Target
from backends.stopwatch import wall_clock
from compare.interactive.service import ComparisonService
from compare.interactive.visitors import Visitor
from dashboard_pages import strings
from ui.process.event_loop import EventLoopThread

CHECK_SECONDS = 60  # between two checks of the targets


@st.cache_resource(show_spinner=False)
def event_loop() -> EventLoopThread:
    """Return the loop that runs every stream."""
    return EventLoopThread()


@st.cache_resource(show_spinner=False)
def catalog() -> Catalog:
    """Return the catalogue, which is read once."""
    return Catalog.load()


@st.cache_resource(show_spinner=False)
def backend(name: str) -> Backend:
    """Return the backend of a target; it loads its model at the first request."""
    return catalog().connect(name)


@st.cache_resource(ttl=CHECK_SECONDS, show_spinner=strings.CHECKING_MODELS)
def check_targets() -> tuple[list[Target], float]:
    """Return the targets, each with the reason if it's unavailable, and the time of the check."""
    return event_loop().run(catalog().check_targets()), wall_clock()


@st.cache_resource(show_spinner=False)
def comparison_service() -> ComparisonService:
    """Return the comparator with its recorded runs."""
    # Streamlit says when a session ends; until then, an open tab shows the runs that were uploaded there.
    return ComparisonService(catalog(), Path(compare.__file__).parent.parent / "results", idle_seconds=math.inf)


class _SessionVisitor:
    """The comparator's visitor of a session; it is removed when Streamlit drops the session."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(16)
        self._visitors = comparison_service().visitors
        weakref.finalize(self, self._visitors.forget_from_finalizer, self._key)

    @property
    def visitor(self) -> Visitor:
        """The visitor, without the runs if they made room for those of others."""
        return self._visitors.get(self._key)


def visitor() -> Visitor:
    """Return the comparator's visitor of this session; every browser tab has its own."""
    if "session_visitor" not in st.session_state:
        st.session_state.session_visitor = _SessionVisitor()
    return cast(_SessionVisitor, st.session_state.session_visitor).visitor
