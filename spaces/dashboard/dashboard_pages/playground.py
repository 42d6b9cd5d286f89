"""The playground page: a conversation with any target of the catalogue, with thoughts and speed of each answer."""

from __future__ import annotations

from contextlib import closing

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from backends import BackendError, SpaceportError, Target
from compare.report.words.strings import target_label
from dashboard_pages import layout, resources, strings
from dashboard_pages.conversation import Parameters, PlaygroundTurn, export, new_turn, stream_reply, summary

MAX_QUESTION_CHARACTERS = 20_000
EXAMPLE = "chosen example"  # the key of the question that a visitor chose, until it's asked


def page() -> None:
    """Draw the page, and answer the question if there is one."""
    layout.header(strings.PLAYGROUND, strings.PLAYGROUND_SUBTITLE)
    try:
        targets, checked_at = resources.check_targets()
    except SpaceportError as error:
        layout.show_error(error)
        return
    turns: list[PlaygroundTurn] = st.session_state.setdefault("turns", [])
    _stop_abandoned(turns)
    with st.sidebar:
        name, parameters = _select_target(targets), _select_parameters()
        _draw_buttons(turns)
        layout.show_unavailable(targets)
        st.caption(strings.MODELS_CHECKED.format(age=layout.age(checked_at)))
    for turn in turns:
        _draw_turn(turn)
    question = st.chat_input(
        strings.ASK, key="question", max_chars=MAX_QUESTION_CHARACTERS, disabled=name is None, submit_mode="stop"
    )
    question = question or st.session_state.pop(EXAMPLE, None)
    if not turns and not question:
        _draw_examples(disabled=name is None)
    if question and name:
        _answer(turns, new_turn(question, parameters, resources.catalog(), name))


def _draw_examples(*, disabled: bool) -> None:
    """Draw what an empty page says, and questions to begin with."""
    st.html(f'<p class="sp-empty">{strings.NO_MESSAGES}</p>')
    with st.container(horizontal=True):
        for number, text in enumerate(strings.EXAMPLES):
            st.button(text, key=f"example-{number}", disabled=disabled, on_click=_choose_example, args=(text,))


def _choose_example(text: str) -> None:
    st.session_state[EXAMPLE] = text


def _select_target(targets: list[Target]) -> str | None:
    titles = {each.name: target_label(each.name, each.title) for each in targets if not each.unavailable}
    name = st.selectbox(strings.MODEL, list(titles), format_func=lambda key: titles.get(key, key), key="target")
    if name is None:
        st.warning(strings.NO_MODEL)
    return name


def _select_parameters() -> Parameters:
    with st.expander(strings.PARAMETERS):
        max_tokens = st.number_input(strings.MAX_TOKENS, 1, 32_768, 512, step=64, key="max_tokens")
        temperature = st.slider(strings.TEMPERATURE, 0.0, 2.0, 0.2, step=0.05, key="temperature")
        top_p = st.slider(strings.TOP_P, 0.05, 1.0, 1.0, step=0.05, key="top_p", help=strings.TOP_P_HELP)
        seed = st.number_input(
            strings.SEED, 0, 2**31 - 1, None, step=1, key="seed", placeholder=strings.SEED_PLACEHOLDER
        )
        system_prompt = st.text_area(
            strings.SYSTEM_PROMPT, key="system", max_chars=MAX_QUESTION_CHARACTERS,
            placeholder=strings.SYSTEM_PROMPT_PLACEHOLDER,
        )  # fmt: skip
    return Parameters(max_tokens, temperature, top_p if top_p < 1 else None, seed, system_prompt)


def _draw_buttons(turns: list[PlaygroundTurn]) -> None:
    left, right = st.columns(2)
    left.button(strings.CLEAR, key="clear", width="stretch", disabled=not turns, on_click=turns.clear)
    right.download_button(
        strings.EXPORT, export(turns), "conversation.json", "application/json",
        key="export", width="stretch", disabled=not turns, on_click="ignore",
    )  # fmt: skip


def _draw_turn(turn: PlaygroundTurn) -> None:
    with st.chat_message("user"):
        st.markdown(layout.markdown(turn.question))
    with st.chat_message("assistant"):
        _ReplyView(turn)


def _answer(turns: list[PlaygroundTurn], turn: PlaygroundTurn) -> None:
    """Stream the answer onto the page; if the visitor stops or leaves, this script ends and closes the stream."""
    history = list(turns)
    turns.append(turn)
    with st.chat_message("user"):
        st.markdown(layout.markdown(turn.question))
    with st.chat_message("assistant"):
        view = _ReplyView(turn)
        try:
            backend = resources.backend(turn.reply.target)
            with closing(resources.event_loop().iterate(stream_reply(history, turn, backend))) as updates:
                for _ in updates:
                    view.draw()  # Streamlit ends a script only when it draws
        except BackendError as error:
            turn.reply.state, turn.reply.error = "failed", error
        view.draw()
    st.rerun()  # the sidebar's buttons were drawn before the turn


class _ReplyView:
    """The elements of the page that show a reply."""

    def __init__(self, turn: PlaygroundTurn) -> None:
        self._reply = turn.reply
        self._thoughts, self._text, self._error, self._summary = st.empty(), st.empty(), st.empty(), st.empty()
        self._thought: DeltaGenerator | None = None
        self.draw()

    def draw(self) -> None:
        """Draw the reply as it is now."""
        reply = self._reply
        if reply.thought and self._thought is None:  # only once: a new expander would fold while somebody reads it
            self._thought = self._thoughts.expander(strings.THOUGHTS).empty()
        if self._thought:
            self._thought.markdown(layout.markdown(reply.thought))
        self._text.markdown(layout.markdown(reply.answer))
        if reply.error:
            layout.show_error(reply.error, self._error.error)
        self._summary.caption(layout.markdown(summary(reply)))


def _stop_abandoned(turns: list[PlaygroundTurn]) -> None:
    """Mark unfinished replies as stopped: their script has ended when the next one starts."""
    for turn in turns:
        if turn.reply.state not in ("done", "failed", "stopped"):
            turn.reply.state = "stopped"
