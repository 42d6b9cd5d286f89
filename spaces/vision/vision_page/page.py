"""The components of the vision page and their events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backends import SpaceportError, Target
from backends.streams import closing
from ui.event_chains import call_after
from ui.html import folded_unavailable_html
from ui.middleware.refusals import Refusal, refusal
from vision_page import strings
from vision_page.finding import Finding
from vision_page.picture import PictureInput
from vision_page.service import VisionService
from vision_page.targets import MAX_TARGETS
from vision_page.visitor import PRIVATE, VISITOR, Visitor

# On a phone the results are below the form.
SHOW_RESULTS_JS = """() => {
  if (innerWidth < 700) document.querySelector("#results")?.scrollIntoView({behavior: "smooth", block: "start"});
}"""

# What has been found stays when a visitor stops; what was being done doesn't.
END_STEPS_JS = '() => document.querySelectorAll("#results .sp-progress").forEach((step) => step.remove())'


class VisionPage:
    """Creates its components where it is constructed."""

    def __init__(
        self, service: VisionService, visitor: Visitor, targets: Sequence[Target], selected: list[str]
    ) -> None:
        self._service = service
        self._visitor = visitor
        choices = [(target.title, target.name) for target in targets if not target.unavailable]
        with gr.Row():
            with gr.Column(min_width=300):
                self.picture = PictureInput(
                    label=strings.PICTURE, sources=["upload", "clipboard"], placeholder=strings.PLACEHOLDER,
                    height=320, buttons=[], elem_id="picture",
                )  # fmt: skip
                self.targets = gr.CheckboxGroup(choices, value=selected, label=strings.TARGETS, elem_id="targets")
                self.explain = gr.Checkbox(True, label=strings.EXPLAIN, info=strings.EXPLAIN_INFO, elem_id="explain")
                self.classify = gr.Button(strings.CLASSIFY, variant="primary", elem_id="classify")
                self.stop = gr.Button(strings.STOP, visible=False, elem_id="stop")
            with gr.Column(min_width=300, scale=2):
                self.empty = gr.HTML(f'<p class="sp-empty">{strings.EMPTY}</p>', elem_id="empty")
                with gr.Row(elem_id="results"):
                    self.columns = [part for _ in range(MAX_TARGETS) for part in self._create_column()]
        gr.HTML(folded_unavailable_html(targets, strings.unavailable_classifiers), elem_id="unavailable")
        self._connect_events()

    def _create_column(self) -> tuple[Any, Any]:
        with gr.Column(visible=False, min_width=260, elem_classes="sp-column") as column:
            return column, gr.HTML("")

    def _connect_events(self) -> None:
        buttons, finds = [self.classify, self.stop], []
        fields = [self._visitor.key, self.picture, self.targets, self.explain]
        for start in (self.classify.click, self.picture.upload):
            # Gradio shows the words of a refusal only if the event went through the queue (6.31).
            begin = start(self.begin, [self.picture, self.targets], [*buttons, self.empty], **PRIVATE)
            find = begin.success(self.find, fields, self.columns, concurrency_limit=None, **VISITOR)
            begin.success(None, None, None, js=SHOW_RESULTS_JS, **PRIVATE)
            call_after(find, self.finish, None, buttons, queue=False, **PRIVATE)
            finds.append(find)
        self.stop.click(self.finish, None, buttons, cancels=finds, queue=False, **PRIVATE)
        self.stop.click(None, None, None, js=END_STEPS_JS, **PRIVATE)

    def begin(self, picture: str | None, targets: list[str]) -> tuple[Any, Any, Any]:
        """Turn the button into Stop; refuse what can't start."""
        if not picture:
            raise Refusal(strings.NO_PICTURE)
        if not targets:
            raise Refusal(strings.NO_TARGET)
        if len(targets) > MAX_TARGETS:
            raise Refusal(strings.TOO_MANY_TARGETS)
        return gr.Button(visible=False), gr.Button(visible=True), gr.HTML(visible=False)

    async def find(
        self, key: str, picture: str | None, targets: list[str], explain: bool, request: gr.Request
    ) -> AsyncIterator[list[Any]]:
        """Show what each classifier finds, as it finds it."""
        if not picture or not targets or len(targets) > MAX_TARGETS:
            raise Refusal(strings.NO_PICTURE if not picture else strings.NO_TARGET)
        admission, caller = self._service.admission, self._visitor.caller(key, request)
        try:
            admission.take_question(caller)
            async with admission.answers.place(caller):
                content = await asyncio.to_thread(Path(picture).read_bytes)
                updates = admission.in_time(self._service.find(content, targets, explain=explain))
                async with closing(updates):
                    async for findings in updates:
                        yield _column_updates(findings)
        except OSError as error:  # pictures are deleted after an hour
            raise Refusal(strings.PICTURE_GONE) from error
        except SpaceportError as error:
            raise refusal(error) from error

    def finish(self) -> tuple[Any, Any]:
        """Offer the button again."""
        return gr.Button(visible=True), gr.Button(visible=False)


def _column_updates(findings: list[Finding]) -> list[Any]:
    updates: list[Any] = []
    for place in range(MAX_TARGETS):
        if place < len(findings):
            updates += [gr.Column(visible=True), findings[place].html]
        else:
            updates += [gr.Column(visible=False), ""]
    return updates
