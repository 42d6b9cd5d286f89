"""The measurements of the page: what to measure, how far it is, and what came out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.analyse.definitions import TITLES
from compare.analyse.objectives import OBJECTIVES
from compare.measure.measurement import Progress
from compare.measure.workload import SHAPES
from compare.report import charts, render
from compare.service import ComparisonService, ReportOptions
from compare_page import forms
from ui import html

PICTURES = 5
FILES = {"html": "Report (HTML)", "jsonl": "Raw arrivals (JSONL)", "csv": "Requests (CSV)", "md": "Table (Markdown)"}
ALTERNATIVES = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]
NONE = "no other run"
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class MeasurePage:
    """Lays itself out where it is made; `targets` is the list that the page brings up to date."""

    def __init__(
        self, studio: ComparisonService, catalog: str | None, choices: Sequence[tuple[str, str]], chosen: list[str]
    ) -> None:
        self.studio = studio
        self._catalog = catalog
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._form(choices, chosen)
            with gr.Column(scale=5, min_width=320):
                self._results()
        self._wire()

    def _form(self, choices: Sequence[tuple[str, str]], chosen: list[str]) -> None:
        self.targets = gr.CheckboxGroup(choices, value=chosen, label="Targets", elem_id="targets")
        shapes = [(shape.label, name) for name, shape in SHAPES.items()]
        self.workload = gr.Dropdown(shapes, value="short", label="Prompts and answers, in tokens", elem_id="workload")
        with gr.Accordion("Load and repetitions", open=False):
            self.mode = gr.Radio(list(forms.MODES), value=next(iter(forms.MODES)), label="How requests are sent")
            self.loads = gr.Textbox("1", label="How many", info="Several: 1, 4, 16", elem_id="loads")
            self.warmup = gr.Number(2, label="Warm-up requests, not counted", precision=0)
            self.seed = gr.Number(0, label="Seed of the order", precision=0)
            self.minutes = gr.Number(30, label="Minutes at most")
            self.own = gr.File(label="Own prompts (JSONL)", file_types=[".jsonl"], height=120, elem_id="own")
        self.requests = gr.Number(
            40, label="Requests a target and load", precision=0, elem_id="requests",
            info="The verdict says how many tell 5 % apart at the noise that was seen.",
        )  # fmt: skip
        self.start = gr.Button("Measure", variant="primary", elem_id="measure")
        self.stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop")
        self.progress = gr.HTML("", elem_id="progress")
        self.unavailable = gr.HTML("", elem_id="unavailable")

    def _results(self) -> None:
        runs = list(self.studio.examples)
        with gr.Row():
            self.chosen = gr.Dropdown(runs, value=runs[0] if runs else None, label="Run", min_width=300, elem_id="run")
            self.other = gr.Dropdown([NONE], value=NONE, label="Against", min_width=300, elem_id="against")
        self.verdict = gr.HTML("", elem_id="verdict")
        with gr.Accordion("Figures", open=True):
            with gr.Row():
                definitions = [(title, name) for name, title in TITLES.items()]
                self.definition = gr.Dropdown(
                    definitions, value="spaceport", label="By the definitions of", elem_id="definition"
                )
                self.objective = gr.Dropdown(list(OBJECTIVES), value="default", label="Objectives of goodput")
            self.figures = gr.HTML("", elem_id="figures-table")
        with gr.Accordion("Cost", open=True):
            self.cost = gr.HTML("", elem_id="cost")
            self._pricing()
        with gr.Row(elem_id="pictures"):
            self.plots = [gr.Plot(visible=False, show_label=False, min_width=320) for _ in range(PICTURES)]
        with gr.Accordion("To repeat it", open=False):
            self.repeat = gr.HTML("", elem_id="repeat")
            self.dropped = gr.File(label="Open a stored run (JSONL)", file_types=[".jsonl"], height=120, elem_id="open")
        with gr.Row(elem_id="files"):
            self.files = [gr.DownloadButton(label, size="sm", visible=False, min_width=120) for label in FILES.values()]

    def _pricing(self) -> None:
        with gr.Accordion("Prices", open=False):
            self.prices = gr.Textbox(
                "", lines=2, label="A line for each target", elem_id="prices",
                placeholder="gpu = ml.g5.xlarge\nlaptop = 0.05/h\ncloud = tokens:openai/gpt-4o-mini",
            )  # fmt: skip
            self.alternatives = gr.Dropdown(
                ALTERNATIVES, value=[], multiselect=True, allow_custom_value=True,
                label="Break-even against a price by the token",
            )  # fmt: skip
            self.utilisation = gr.Slider(1, 100, 100, step=1, label="Used, in % of the measured throughput")
            self.spot = gr.Checkbox(False, label="Spot prices where there are any")

    def _wire(self) -> None:
        fields = [self.targets, self.workload, self.own, self.mode, self.loads, self.requests, self.warmup, self.seed,
                  self.minutes]  # fmt: skip
        moving = [self.progress, self.start, self.stop, self.chosen]
        # Many may ask; the studio lets one measurement run at a time.
        self.start.click(self.measure, fields, moving, concurrency_limit=8, **PRIVATE)
        self.stop.click(self.stop_measuring, None, self.progress, queue=False, **PRIVATE)
        self.dropped.upload(self.open_run, self.dropped, self.chosen, **PRIVATE)
        self.chosen.change(self.others, [self.chosen, self.other], self.other, queue=False, **PRIVATE)
        seen = [self.chosen, self.other, self.definition, self.objective, self.prices, self.alternatives,
                self.utilisation, self.spot]  # fmt: skip
        self.shown = [self.verdict, self.figures, self.cost, *self.plots, self.repeat, *self.files]
        gr.on([each.change for each in seen], self.show, seen, self.shown, trigger_mode="always_last", **PRIVATE)
        self.seen = seen

    async def measure(
        self,
        targets: list[str], workload: str, own: str | None, mode: str, loads: str,
        requests: float, warmup: float, seed: float, minutes: float, request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any, Any, Any]]:  # fmt: skip
        """Measure in the background: the progress, the two buttons, and at the end the run in the list."""
        visitor = self.studio.visitors.get(request.session_hash)
        form = forms.Form(targets, workload, own, mode, loads, requests, warmup, seed, minutes)
        try:
            arguments = forms.arguments(form, self._catalog)
            yield html.progress_html("Starting", None), gr.Button(visible=False), gr.Button(visible=True), gr.skip()
            name = gr.skip()
            async for step in self.studio.measure(visitor, arguments, f"{' against '.join(targets)}, {workload}"):
                if isinstance(step, Progress):
                    yield _progress(step), gr.skip(), gr.skip(), gr.skip()
                else:
                    name = step
        except SpaceportError as error:
            failed = f'<p class="sp-note sp-bad" role="alert">{render.escape(str(error))}</p>'
            yield failed, gr.Button(visible=True), gr.Button(visible=False), gr.skip()
            return
        listed = gr.Dropdown(choices=self.studio.runs(visitor), value=name) if isinstance(name, str) else gr.skip()
        yield "", gr.Button(visible=True), gr.Button(visible=False), listed

    def stop_measuring(self, request: gr.Request) -> str:
        measuring = self.studio.visitors.get(request.session_hash).measuring
        if measuring:
            measuring.stop()
        return html.progress_html("Stopping; what was measured stays", None)

    def show(
        self,
        name: str | None, other: str, definition: str, objective: str, prices: str, alternatives: list[str],
        utilisation: float, spot: bool, request: gr.Request,
    ) -> list[Any]:  # fmt: skip
        """A stored run: verdict, figures, cost, pictures, files."""
        visitor = self.studio.visitors.get(request.session_hash)
        if not name:
            return [
                '<p class="sp-empty">Measure, or open a stored run, to see its figures.</p>',
                *[gr.skip()] * (len(self.shown) - 1),
            ]
        view = ReportOptions(
            definition, objective, prices, utilisation / 100, spot, [f"tokens:{model}" for model in alternatives]
        )
        try:
            report = self.studio.report(visitor, name, None if other == NONE else other, view)
            files = self.studio.export(visitor, name, report)
        except SpaceportError as error:
            raise gr.Error(str(error), print_exception=False) from error
        drawn = [gr.Plot(figure, visible=True) for figure in charts.draw_charts(report).values()]
        drawn += [gr.Plot(visible=False)] * (PICTURES - len(drawn))
        pieces = [render.verdict_html(report), render.metrics_html(report), render.cost_html(report)]
        buttons = [gr.DownloadButton(value=files[suffix], visible=True) for suffix in FILES]
        return [*pieces, *drawn, render.reproduce_html(report), *buttons]

    def open_run(self, path: str | None, request: gr.Request) -> Any:
        """List a stored run that was dropped on the page."""
        visitor = self.studio.visitors.get(request.session_hash)
        if not path:
            return gr.skip()
        try:
            name = self.studio.open(visitor, Path(path))
        except SpaceportError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return gr.Dropdown(choices=self.studio.runs(visitor), value=name)

    def others(self, name: str | None, other: str, request: gr.Request) -> Any:
        """The runs that this one can be compared with; a choice that is still possible stays."""
        runs = [each for each in self.studio.runs(self.studio.visitors.get(request.session_hash)) if each != name]
        return gr.Dropdown(choices=[NONE, *runs], value=other if other in runs else NONE)


def _progress(step: Progress) -> str:
    left = "" if step.left is None else f" · about {step.left:,.0f} s left"
    return html.progress_html(f"{step.done} of {step.total} requests{left} · {step.doing}", step.done / step.total)
