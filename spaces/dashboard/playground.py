"""The playground: a conversation with any target of the catalogue, its thoughts folded, its pace under each answer."""

from __future__ import annotations

from contextlib import closing

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import layout as look
import shared
from backends import BackendError, SpaceportError, Target
from conversation import Parameters, Turn, answering, begin, exported, pace

LONGEST = 20_000  # characters of a question


def page() -> None:
    """Lay the page out, and answer what was asked."""
    look.head("Playground", "One conversation, any model backend")
    try:
        targets, seen = shared.reached()
    except SpaceportError as error:
        look.problem(error)
        return
    turns: list[Turn] = st.session_state.setdefault("turns", [])
    _settle(turns)
    with st.sidebar:
        name, parameters = _choose(targets), _parameters()
        _keep(turns)
        look.unavailable(targets)
        st.caption(f"Which models answer was looked at {look.age(seen)}.")
    for turn in turns:
        _show(turn)
    if not turns:
        st.html('<p class="sp-empty">Ask something. The model on this machine needs no key.</p>')
    question = st.chat_input(
        "Ask the model", key="question", max_chars=LONGEST, disabled=name is None, submit_mode="stop"
    )
    if question and name:
        _answer(turns, begin(question, parameters, shared.catalog(), name))


def _choose(targets: list[Target]) -> str | None:
    usable = {target.name: target.title for target in targets if not target.unavailable}
    name = st.selectbox("Backend", list(usable), format_func=lambda key: usable.get(key, key), key="target")
    if name is None:
        st.warning("No backend can be used now. The list below says why.")
    return name


def _parameters() -> Parameters:
    with st.expander("Parameters"):
        max_tokens = st.number_input("Tokens at most", 1, 32_768, 512, step=64, key="max_tokens")
        temperature = st.slider("Temperature", 0.0, 2.0, 0.2, step=0.05, key="temperature")
        top_p = st.slider("Top p", 0.05, 1.0, 1.0, step=0.05, key="top_p", help="At 1 it is the backend's choice.")
        seed = st.number_input("Seed", 0, 2**31 - 1, None, step=1, key="seed", placeholder="any")
        system = st.text_area("System text", key="system", max_chars=LONGEST, placeholder="How the model should answer")
    return Parameters(max_tokens, temperature, top_p if top_p < 1 else None, seed, system)


def _keep(turns: list[Turn]) -> None:
    clear, save = st.columns(2)
    clear.button("Clear", key="clear", width="stretch", disabled=not turns, on_click=turns.clear)
    save.download_button(
        "Export", exported(turns), "conversation.json", "application/json",
        key="export", width="stretch", disabled=not turns, on_click="ignore",
    )  # fmt: skip


def _show(turn: Turn) -> None:
    with st.chat_message("user"):
        st.markdown(look.markdown(turn.question))
    with st.chat_message("assistant"):
        _Answer(turn)


def _answer(turns: list[Turn], turn: Turn) -> None:
    """Ask the target and draw what comes; a visitor who stops or leaves ends this script, and with it the stream."""
    earlier = list(turns)
    turns.append(turn)
    with st.chat_message("user"):
        st.markdown(look.markdown(turn.question))
    with st.chat_message("assistant"):
        answer = _Answer(turn)
        try:
            signs = shared.loop().iterate(answering(earlier, turn, shared.connected(turn.lane.target)))
            with closing(signs):
                for _ in signs:
                    answer.draw()  # Streamlit ends a script only where it draws
        except BackendError as error:
            turn.lane.state, turn.lane.error = "failed", error
        answer.draw()
    st.rerun()  # the buttons beside the conversation were made before the turn


class _Answer:
    """Where an answer stands on the page."""

    def __init__(self, turn: Turn) -> None:
        self._lane = turn.lane
        self._thoughts, self._text, self._error, self._line = st.empty(), st.empty(), st.empty(), st.empty()
        self._thought: DeltaGenerator | None = None
        self.draw()

    def draw(self) -> None:
        """Show the answer as it is now: thoughts folded, text, error, and how fast it came."""
        lane = self._lane
        if lane.thought and self._thought is None:  # made once: made anew, it would fold while somebody reads it
            self._thought = self._thoughts.expander("Thoughts").empty()
        if self._thought:
            self._thought.markdown(look.markdown(lane.thought))
        self._text.markdown(look.markdown(lane.answer))
        if lane.error:
            look.problem(lane.error, self._error.error)
        self._line.caption(look.markdown(pace(lane)))


def _settle(turns: list[Turn]) -> None:
    """An answer that is still going on when the script begins anew was stopped with the script before."""
    for turn in turns:
        if turn.lane.state not in ("done", "failed", "stopped"):
            turn.lane.state = "stopped"
