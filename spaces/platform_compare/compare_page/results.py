"""The results of a run: verdict, metrics, cost, charts and downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.analyse.definitions import TITLES
from compare.analyse.objectives import OBJECTIVES
from compare.report import charts, render
from compare.report import strings as report_strings
from compare.service import ComparisonService, ReportOptions
from compare_page import strings
from compare_page.events import PRIVATE

MAX_CHARTS = 5
ALTERNATIVES = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]


class Results:
    """Creates its components where it is constructed; `show` with `inputs` fills `outputs`."""

    def __init__(self, service: ComparisonService) -> None:
        self.service = service
        self._create_components()
        self.inputs: list[Any] = [self.run, self.earlier, self.definition, self.objective, self.prices,
                                  self.alternatives, self.utilization, self.spot]  # fmt: skip
        self.outputs: list[Any] = [self.verdict, self.metrics, self.cost, *self.plots, self.settings, *self.files]
        self._connect_events()

    def _create_components(self) -> None:
        runs = list(self.service.examples)
        with gr.Row():
            self.run = gr.Dropdown(
                runs, value=runs[0] if runs else None, label=strings.RUN, min_width=300, elem_id="run"
            )
            self.earlier = gr.Dropdown(
                [strings.NO_OTHER_RUN], value=strings.NO_OTHER_RUN, label=strings.COMPARE_WITH, min_width=300,
                elem_id="against",
            )  # fmt: skip
        self.verdict = gr.HTML("", elem_id="verdict")
        with gr.Accordion(strings.METRICS, open=True):
            with gr.Row():
                definitions = [(title, name) for name, title in TITLES.items()]
                self.definition = gr.Dropdown(
                    definitions, value="spaceport", label=strings.DEFINITIONS, elem_id="definition"
                )
                self.objective = gr.Dropdown(list(OBJECTIVES), value="default", label=strings.OBJECTIVES)
            self.metrics = gr.HTML("", elem_id="metrics-table")
        with gr.Accordion(report_strings.COST, open=True):
            self.cost = gr.HTML("", elem_id="cost")
            self._create_prices()
        with gr.Row(elem_id="charts"):
            self.plots = [gr.Plot(visible=False, show_label=False, min_width=320) for _ in range(MAX_CHARTS)]
        with gr.Accordion(report_strings.REPRODUCE, open=False):
            self.settings = gr.HTML("", elem_id="repeat")
            self.upload = gr.File(label=strings.OPEN_RUN, file_types=[".jsonl"], height=120, elem_id="open")
        with gr.Row(elem_id="files"):
            self.files = [
                gr.DownloadButton(label, size="sm", visible=False, min_width=120) for label in strings.FILES.values()
            ]

    def _create_prices(self) -> None:
        with gr.Accordion(strings.PRICES, open=False):
            self.prices = gr.Textbox(
                "", lines=2, label=strings.PRICES_LABEL, elem_id="prices", placeholder=strings.PRICES_PLACEHOLDER
            )
            self.alternatives = gr.Dropdown(
                ALTERNATIVES, value=[], multiselect=True, allow_custom_value=True, label=strings.BREAK_EVEN
            )
            self.utilization = gr.Slider(1, 100, 100, step=1, label=strings.UTILIZATION)
            self.spot = gr.Checkbox(False, label=strings.SPOT)

    def _connect_events(self) -> None:
        self.upload.upload(self.open_run, self.upload, self.run, **PRIVATE)
        self.run.change(self.update_earlier, [self.run, self.earlier], self.earlier, queue=False, **PRIVATE)
        changes = [component.change for component in self.inputs]
        gr.on(changes, self.show, self.inputs, self.outputs, trigger_mode="always_last", **PRIVATE)

    def show(
        self,
        name: str | None, earlier: str, definition: str, objective: str, prices: str, alternatives: list[str],
        utilization: float, spot: bool, request: gr.Request,
    ) -> list[Any]:  # fmt: skip
        """Show a stored run."""
        visitor = self.service.visitors.get(request.session_hash)
        if not name:
            return [f'<p class="sp-empty">{strings.NO_RUN}</p>', *[gr.skip()] * (len(self.outputs) - 1)]
        models = [f"tokens:{model}" for model in alternatives]
        options = ReportOptions(definition, objective, prices, utilization / 100, spot, models)
        try:
            report = self.service.report(visitor, name, None if earlier == strings.NO_OTHER_RUN else earlier, options)
            files = self.service.export(visitor, name, report)
        except SpaceportError as error:
            raise gr.Error(str(error), print_exception=False) from error
        plots = [gr.Plot(figure, visible=True) for figure in charts.draw_charts(report).values()]
        plots += [gr.Plot(visible=False)] * (MAX_CHARTS - len(plots))
        parts = [render.verdict_html(report), render.metrics_html(report), render.cost_html(report)]
        buttons = [gr.DownloadButton(value=files[suffix], visible=True) for suffix in strings.FILES]
        return [*parts, *plots, render.reproduce_html(report), *buttons]

    def open_run(self, path: str | None, request: gr.Request) -> Any:
        """Add an uploaded run to the list and select it."""
        visitor = self.service.visitors.get(request.session_hash)
        if not path:
            return gr.skip()
        try:
            name = self.service.open_run(visitor, Path(path))
        except SpaceportError as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            Path(path).unlink(missing_ok=True)  # Gradio's copy, which anyone with its address can download
        return gr.Dropdown(choices=self.service.run_names(visitor), value=name)

    def update_earlier(self, name: str | None, earlier: str, request: gr.Request) -> Any:
        """Offer all other runs for a comparison; a selection that is still possible stays."""
        visitor = self.service.visitors.get(request.session_hash)
        runs = [each for each in self.service.run_names(visitor) if each != name]
        value = earlier if earlier in runs else strings.NO_OTHER_RUN
        return gr.Dropdown(choices=[strings.NO_OTHER_RUN, *runs], value=value)
