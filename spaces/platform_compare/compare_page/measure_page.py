"""The measurement tab: the form, the progress, and the results of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.interactive.service import ComparisonService
from compare.measure.measurement import Progress
from compare.measure.plan import WARMUP
from compare.measure.workloads.workload import SHAPES
from compare.rag_process import has_rag
from compare.report.words.strings import run_name
from compare_page import forms, strings
from compare_page.events import PRIVATE, VISITOR, VisitorIdentity
from compare_page.results import Results
from compare_page.scripts import show_js
from ui import html
from ui.sections import closed_section


class MeasurePage:
    """Creates its components where it is constructed; the page refreshes `targets` and `unavailable`."""

    def __init__(
        self,
        service: ComparisonService,
        identity: VisitorIdentity,
        catalog: str | None,
        choices: Sequence[tuple[str, str]],
        selected: list[str],
    ) -> None:
        self.service = service
        self._identity = identity
        self._catalog = catalog
        gr.HTML(f'<p class="sp-lead">{strings.MEASURE_LEAD}</p>')
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._create_form(choices, selected)
            with gr.Column(scale=6, min_width=600):
                self.results = Results(service, identity)
        self._connect_events()

    def _create_form(self, choices: Sequence[tuple[str, str]], selected: list[str]) -> None:
        self.targets = gr.CheckboxGroup(choices, value=selected, label=strings.TARGETS, elem_id="targets")
        shapes = [(shape.label, name) for name, shape in SHAPES.items()]
        self.workload = gr.Dropdown(shapes, value="short", label=strings.WORKLOAD, elem_id="workload")
        self.requests = gr.Number(
            40, label=strings.REQUESTS, precision=0, elem_id="requests", info=strings.REQUESTS_INFO
        )
        self.start = gr.Button(strings.MEASURE, variant="primary", elem_id="measure")
        self.stop = gr.Button(strings.STOP, variant="stop", visible=False, elem_id="stop")
        self.progress = gr.HTML("", elem_id="progress")
        self._create_questions()
        with closed_section(strings.LOAD):
            self._create_load()
        self.unavailable = gr.HTML("", elem_id="unavailable")

    def _create_questions(self) -> None:
        """Create the fields for questions over documents; without `rag` nobody could read and score them."""
        with closed_section(strings.QUESTIONS, visible=has_rag()):
            gr.HTML(f'<p class="sp-note">{strings.QUESTIONS_LEAD}</p>')
            self.questions = gr.File(
                label=strings.QUESTIONS_FILE, file_types=[".jsonl"], height=140, elem_id="questions"
            )
            self.documents = gr.File(label=strings.DOCUMENTS, file_count="multiple", height=160, elem_id="documents")

    def _create_load(self) -> None:
        modes = [(label, mode) for mode, label in strings.MODES.items()]
        self.mode = gr.Radio(modes, value="concurrency", label=strings.MODE)
        self.loads = gr.Textbox("1", label=strings.LOADS, info=strings.LOADS_INFO, elem_id="loads")
        self.warmup = gr.Number(WARMUP, label=strings.WARMUP, precision=0)
        self.seed = gr.Number(0, label=strings.SEED, precision=0)
        self.minutes = gr.Number(
            self.service.admission.limits.measured_minutes or 30, label=strings.MINUTES, elem_id="minutes"
        )
        self.prompt_file = gr.File(label=strings.OWN_PROMPTS, file_types=[".jsonl"], height=140, elem_id="own")

    def _connect_events(self) -> None:
        fields = [self._identity.key, self.targets, self.workload, self.prompt_file, self.questions, self.documents,
                  self.mode, self.loads, self.requests, self.warmup, self.seed, self.minutes]  # fmt: skip
        updates = [self.progress, self.start, self.stop, self.results.run]
        measured = self.start.click(self.measure, fields, updates, concurrency_limit=None, **VISITOR)
        measured.then(None, None, None, js=show_js("#overview"), **PRIVATE)
        self.stop.click(self.stop_measuring, self._identity.key, self.progress, queue=False, **VISITOR)

    async def measure(
        self,
        key: str, targets: list[str], workload: str, prompt_file: str | None, questions: str | None,
        documents: list[str] | None, mode: forms.Mode, loads: str, requests: float, warmup: float, seed: float,
        minutes: float, request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any, Any, Any]]:  # fmt: skip
        """Measure in the background; update the progress and the buttons, and finally the list of runs."""
        visitor, limits = self._identity.visitor(key, request), self.service.admission.limits
        form = forms.Form(
            targets, workload, prompt_file, questions, documents or [], mode, loads, requests, warmup, seed, minutes
        )
        name: str | None = None
        try:
            caller, title = self._identity.caller(key, request), run_name(targets, forms.workload_name(form))
            # In a thread: a file of prompts can have 20 MB.
            arguments = await self.service.admission.view(caller, forms.command_arguments, form, self._catalog, limits)
            starting = html.progress_html(strings.STARTING, None)
            yield starting, gr.Button(visible=False), gr.Button(visible=True), gr.skip()
            async for event in self.service.measure(caller, visitor, arguments, title, minutes * 60):
                if isinstance(event, Progress):
                    yield _progress_html(event), gr.skip(), gr.skip(), gr.skip()
                else:
                    name = event
        except SpaceportError as error:
            message = f'<p class="sp-note sp-bad" role="alert">{escape(str(error))}</p>'
            yield message, gr.Button(visible=True), gr.Button(visible=False), gr.skip()
            return
        runs = gr.Dropdown(choices=self.service.run_names(visitor), value=name) if name else gr.skip()
        yield "", gr.Button(visible=True), gr.Button(visible=False), runs

    def stop_measuring(self, key: str, request: gr.Request) -> str:
        """Stop the visitor's measurements."""
        for measurement in list(self._identity.visitor(key, request).measurements):
            measurement.stop()
        return html.progress_html(strings.STOPPING, None)


def _progress_html(progress: Progress) -> str:
    text = strings.progress_text(
        progress.done, progress.total, progress.unit, progress.seconds_left, progress.current_step
    )
    return html.progress_html(text, progress.done / progress.total if progress.total else None)
