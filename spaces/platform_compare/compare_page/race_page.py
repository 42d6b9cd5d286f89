"""The race of the page: one prompt to several targets at once, and a vote on the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.race import Race
from compare.report import race_view as lanes
from compare.service import ComparisonService
from compare.votes import LETTERS, TIE

LANES = 4
PROMPTS = ["Why is the sky blue?", "Write three lines about the sea.", "Explain a hash table to a child."]
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class RacePage:
    """Lays itself out where it is made; `targets` is the list that the page brings up to date."""

    def __init__(self, studio: ComparisonService, choices: Sequence[tuple[str, str]], chosen: list[str]) -> None:
        self.studio = studio
        gr.HTML('<p class="sp-note">A show, not a measurement: all answer at once and share this machine.</p>')
        self.targets = gr.CheckboxGroup(choices, value=chosen, label="Two to four targets", elem_id="racers")
        self.prompt = gr.Textbox(
            label="Prompt", show_label=False, placeholder="One prompt for all of them", submit_btn=True, autofocus=True,
            max_lines=6, max_length=20_000, elem_id="prompt",
        )  # fmt: skip
        gr.Examples(PROMPTS, self.prompt, label="Or one of these")
        self.blind = gr.Checkbox(False, label="Hide the names until I have voted", elem_id="blind")
        with gr.Accordion("Settings", open=False):
            self.max_tokens = gr.Slider(16, 2048, 256, step=16, label="Longest answer, in tokens")
            self.temperature = gr.Slider(0, 1.5, 0.2, step=0.1, label="Temperature")
        with gr.Row(elem_id="lanes"):
            self.columns = [part for _ in range(LANES) for part in self._column()]
        with gr.Row(visible=False, elem_id="ballot") as self.ballot:
            self.ballots = [gr.Button("", size="sm") for _ in range(LANES)] + [gr.Button("They are equal", size="sm")]
        self.standing = gr.HTML("", elem_id="standing")
        self.taken = gr.DownloadButton("My votes (JSONL)", visible=False, size="sm")
        self.unavailable = gr.HTML("", elem_id="not-racing")
        self._wire()

    def _column(self) -> tuple[Any, Any, Any]:
        with gr.Column(visible=False, min_width=280, elem_classes="sp-column") as column:
            return column, gr.HTML(""), gr.Markdown("", elem_classes="sp-answer")

    def _wire(self) -> None:
        settled = [self.prompt, self.ballot, *self.columns, *self.ballots]
        asked = self.prompt.submit(self.begin, self.prompt, [self.prompt, self.ballot], queue=False, **PRIVATE)
        fields = [self.prompt, self.targets, self.blind, self.max_tokens, self.temperature]
        # Gradio's default of 1 would let one visitor's race hold up every other.
        racing = asked.success(self.race, fields, self.columns, concurrency_limit=8, **PRIVATE)
        racing.then(self.settle, None, settled, queue=False, **PRIVATE)
        self.prompt.stop(self.settle, None, settled, cancels=racing, queue=False, **PRIVATE)
        voted = [self.ballot, self.standing, self.taken, *self.columns]
        for letter, button in zip([*LETTERS, TIE], self.ballots, strict=True):
            button.click(self.vote, gr.State(letter), voted, **PRIVATE)

    def begin(self, prompt: str) -> tuple[Any, Any]:
        """Turn the send button into Stop; the votes of the race before can no longer be cast."""
        if not prompt.strip():
            raise gr.Error("There is no prompt. Write one.", print_exception=False)
        return gr.Textbox(**BUSY), gr.Row(visible=False)

    async def race(
        self, prompt: str, targets: list[str], blind: bool, max_tokens: float, temperature: float, request: gr.Request
    ) -> AsyncIterator[list[Any]]:
        """Stream every column of a race."""
        visitor = self.studio.visitors.get(request.session_hash)
        try:
            async for running in self.studio.race(
                visitor, prompt, targets, blind=blind, max_tokens=int(max_tokens), temperature=float(temperature)
            ):
                yield _columns(running)
        except SpaceportError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def settle(self, request: gr.Request) -> list[Any]:
        """After a race, or a Stop: nothing is pending, and two answers can be voted on."""
        running = self.studio.visitors.get(request.session_hash).race
        if running is None:
            return [gr.Textbox(**READY), gr.Row(visible=False), *[gr.skip()] * (3 * LANES + len(self.ballots))]
        running.stop()
        labels = [f"{'Answer ' + LETTERS[place] if running.hidden else lane.title} is better"
                  for place, lane in enumerate(running.columns)]  # fmt: skip
        said = [bool(lane.answer) for lane in running.columns] + [False] * LANES
        buttons = [gr.Button(labels[place], visible=True) if said[place] else gr.Button(visible=False)
                   for place in range(LANES)]  # fmt: skip
        return [gr.Textbox(**READY), gr.Row(visible=running.votable), *_columns(running), *buttons, gr.Button()]

    def vote(self, choice: str, request: gr.Request) -> list[Any]:
        """Count the vote, show the names, and offer all votes as a file."""
        visitor = self.studio.visitors.get(request.session_hash)
        running = self.studio.vote(visitor, choice)
        columns = _columns(running) if running else [gr.skip()] * 3 * LANES
        path = visitor.folder / "votes.jsonl"
        path.write_text(visitor.ballot.jsonl(), encoding="utf-8")
        told = lanes.standing(visitor.ballot.standing())
        return [gr.Row(visible=False), told, gr.DownloadButton(value=path, visible=True), *columns]


def _columns(running: Race) -> list[Any]:
    shown: list[Any] = []
    for place in range(LANES):
        if place < len(running.columns):
            lane = running.columns[place]
            shown += [gr.Column(visible=True), lanes.head(lane, place, hidden=running.hidden), lanes.body(lane)]
        else:
            shown += [gr.Column(visible=False), "", ""]
    return shown
