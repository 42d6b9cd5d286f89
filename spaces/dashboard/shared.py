"""What the visitors share, nothing of theirs among it; and what belongs to one session, a tab of a browser."""

from __future__ import annotations

import secrets
import weakref
from pathlib import Path

import streamlit as st

import compare
from backends import Backend, Catalog, Target
from backends.stopwatch import wall_clock
from compare.service import Studio
from compare.visitors import Visitor
from event_loop import Loop

REACH_SECONDS = 60


@st.cache_resource(show_spinner=False)
def loop() -> Loop:
    """The loop that every stream runs on."""
    return Loop()


@st.cache_resource(show_spinner=False)
def catalog() -> Catalog:
    """The catalogue, read once."""
    return Catalog.load()


@st.cache_resource(show_spinner=False)
def connected(name: str) -> Backend:
    """The backend of a target; it loads its model at the first question."""
    return catalog().connect(name)


@st.cache_resource(ttl=REACH_SECONDS, show_spinner="Looking which models answer")
def reached() -> tuple[list[Target], float]:
    """The targets with why some cannot be used, and when that was looked at."""
    return loop().result(catalog().reach()), wall_clock()


@st.cache_resource(show_spinner=False)
def studio() -> Studio:
    """The comparator, with the recorded runs that come with it."""
    return Studio(catalog(), Path(compare.__file__).parent.parent / "results")


class _Guest:
    """What the comparator keeps for a session; it goes when Streamlit forgets that session."""

    def __init__(self, studio: Studio) -> None:
        key = secrets.token_hex(8)
        self.visitor = studio.visitors.of(key)
        weakref.finalize(self, studio.visitors.forget, key)


def visitor() -> Visitor:
    """The comparator's visitor of this session; another tab is another one."""
    if "guest" not in st.session_state:
        st.session_state.guest = _Guest(studio())
    return st.session_state.guest.visitor
