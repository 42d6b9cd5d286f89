"""The race tab: one prompt sent to several targets at once, and a vote on the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from backends import SpaceportError
from backends.streams import closing
from compare.interactive.race import MAX_TARGETS, Race
from compare.interactive.service import ComparisonService
from compare.interactive.votes import BOTH_BAD, LETTERS, TIE
from compare.report.charts.chart_style import target_colours
from compare.report.views import race_view
from compare.report.words.race_text import answer_label
from compare_page import strings
from compare_page.events import PRIVATE, VISITOR, VisitorIdentity
from compare_page.scripts import show_js
from ui.event_chains import call_after
from ui.middleware.refusals import Refusal, refusal
from ui.sections import closed_section
from ui.static.scripts import download_js

MAX_COLUMNS = MAX_TARGETS
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": strings.STOP}
READY: dict[str, Any] = {"submit_btn": strings.RACE, "stop_btn": False}


class RacePage:
    """Creates its components where it is constructed; the page refreshes `targets` and `unavailable`."""

    def __init__(
        self,
        service: ComparisonService,
        identity: VisitorIdentity,
        choices: Sequence[tuple[str, str]],
        selected: list[str],
    ) -> None:
        self.service = service
        self._identity = identity
        gr.HTML(f'<p class="sp-lead">{strings.RACE_LEAD}</p>')
        self.targets = gr.CheckboxGroup(choices, value=selected, label=strings.RACE_TARGETS, elem_id="racers")
        self.prompt = gr.Textbox(
            label=strings.PROMPT, show_label=False, placeholder=strings.PROMPT_PLACEHOLDER,
            submit_btn=strings.RACE, autofocus=True, max_lines=6, elem_id="prompt",
        )  # fmt: skip
        gr.Examples(strings.EXAMPLE_PROMPTS, self.prompt, label=strings.EXAMPLES)
        self.blind = gr.Checkbox(False, label=strings.HIDE_NAMES, elem_id="blind")
        with closed_section(strings.SETTINGS):
            self.max_tokens = gr.Slider(16, 2048, 256, step=16, label=strings.MAX_LENGTH, elem_id="max-length")
            self.temperature = gr.Slider(0, 1.5, 0.2, step=0.1, label=strings.TEMPERATURE)
        with gr.Row(elem_id="race-columns"):
            self.columns = [part for _ in range(MAX_COLUMNS) for part in self._create_column()]
        with gr.Row(visible=False, elem_id="ballot") as self.ballot:
            self.vote_buttons = [gr.Button("", size="md") for _ in range(MAX_COLUMNS)]
            self.vote_buttons += [gr.Button(label, size="md") for label in (strings.EQUAL, strings.BOTH_BAD)]
        self.standings = gr.HTML("", elem_id="standing")
        self.votes_file = gr.Button(strings.VOTES_FILE, visible=False, size="sm", elem_id="votes-file")
        self._download = gr.Textbox(visible=False)
        self.unavailable = gr.HTML("", elem_id="not-racing")
        self._connect_events()

    def _create_column(self) -> tuple[Any, Any, Any]:
        with gr.Column(visible=False, min_width=280, elem_classes="sp-column") as column:
            return column, gr.HTML(""), gr.Markdown("", elem_classes="sp-answer")

    def _connect_events(self) -> None:
        final = [self.prompt, self.ballot, *self.columns, *self.vote_buttons]
        key = self._identity.key
        submit = self.prompt.submit(self.begin, self.prompt, [self.prompt, self.ballot], queue=False, **PRIVATE)
        fields = [key, self.prompt, self.targets, self.blind, self.max_tokens, self.temperature]
        submit.success(None, None, None, js=show_js("#race-columns"), **PRIVATE)
        race = submit.success(self.race, fields, self.columns, concurrency_limit=None, **VISITOR)
        call_after(race, self.finish, key, final, queue=False, **VISITOR)
        self.prompt.stop(self.finish, key, final, cancels=race, queue=False, **VISITOR)
        after_vote = [self.ballot, self.standings, self.votes_file, *self.columns]
        for choice, button in zip([*LETTERS, TIE, BOTH_BAD], self.vote_buttons, strict=True):
            button.click(self.vote, [key, gr.State(choice)], after_vote, **VISITOR)
        self.votes_file.click(self.votes, key, self._download, **VISITOR).then(
            None, self._download, self._download, js=download_js("votes.jsonl", "application/x-ndjson"), **PRIVATE
        )

    def begin(self, prompt: str) -> tuple[Any, Any]:
        """Turn the send button into Stop and close the vote on the previous race."""
        if not prompt.strip():
            raise Refusal(strings.NO_PROMPT)
        return gr.Textbox(**BUSY), gr.Row(visible=False)

    async def race(
        self,
        key: str,
        prompt: str,
        targets: list[str],
        blind: bool,
        max_tokens: float,
        temperature: float,
        request: gr.Request,
    ) -> AsyncIterator[list[Any]]:
        """Stream every column of a race; a refused prompt stays in the box."""
        visitor, caller = self._identity.visitor(key, request), self._identity.caller(key, request)
        admission = self.service.admission
        try:
            await asyncio.to_thread(admission.take_question, caller, admission.races)
            async with admission.races.place(caller):
                updates = admission.in_time(
                    self.service.race(
                        visitor, prompt, targets, blind=blind, max_tokens=int(max_tokens),
                        temperature=float(temperature), page=request.session_hash or "",
                    )
                )  # fmt: skip
                async with closing(updates):
                    async for race in updates:
                        yield self._column_updates(race)
        except SpaceportError as error:
            raise refusal(error) from error

    def finish(self, key: str, request: gr.Request) -> list[Any]:
        """End a race, finished or stopped; with two answers, open the vote."""
        race = self._identity.visitor(key, request).races.get(request.session_hash or "")
        if race is None:
            return [gr.Textbox(**READY), gr.Row(visible=False), *[gr.skip()] * (4 * MAX_COLUMNS + 2)]
        race.stop()
        ballot = gr.Row(visible=race.votable)
        return [gr.Textbox(**READY), ballot, *self._column_updates(race), *_vote_button_updates(race)]

    def vote(self, key: str, choice: str, request: gr.Request) -> list[Any]:
        """Count the vote, show the names, and offer all votes as a file."""
        visitor = self._identity.visitor(key, request)
        race = self.service.vote(visitor, choice, request.session_hash or "")
        columns = self._column_updates(race) if race else [gr.skip()] * 3 * MAX_COLUMNS
        standings = race_view.standings_html(visitor.ballot.standings())
        return [gr.Row(visible=False), standings, gr.Button(visible=True), *columns]

    def votes(self, key: str, request: gr.Request) -> str:
        """Return all votes of the visitor as JSON lines."""
        return self._identity.visitor(key, request).ballot.jsonl()

    def _column_updates(self, race: Race) -> list[Any]:
        colours = target_colours([column.target for column in race.columns], self.service.catalog.names)
        updates: list[Any] = []
        for place in range(MAX_COLUMNS):
            if place < len(race.columns):
                updates += [gr.Column(visible=True), *race_view.column_view(race, place, colours)]
            else:
                updates += [gr.Column(visible=False), "", ""]
        return updates


def _vote_button_updates(race: Race) -> list[Any]:
    """Show a button for each column with an answer."""
    updates = []
    for place in range(MAX_COLUMNS):
        if place < len(race.columns) and race.columns[place].answer:
            name = answer_label(LETTERS[place]) if race.hidden else race.columns[place].target
            updates.append(gr.Button(strings.better_label(name), visible=True))
        else:
            updates.append(gr.Button(visible=False))
    bad = strings.BOTH_BAD if sum(bool(column.answer) for column in race.columns) == 2 else strings.ALL_BAD
    return [*updates, gr.Button(), gr.Button(bad)]
