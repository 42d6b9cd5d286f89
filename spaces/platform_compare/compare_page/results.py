"""The results of a run: its headline and cards, then the details by tabs, and downloads."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.analyse.metrics.definitions import TITLES
from compare.analyse.metrics.objectives import OBJECTIVES
from compare.analyse.quality.quality_verdict import MARGIN
from compare.interactive.service import ComparisonService
from compare.interactive.visitors import Visitor
from compare.report.charts import charts
from compare.report.files.export import report_markdown
from compare.report.files.html_report import html
from compare.report.files.requests_csv import requests_csv
from compare.report.options import ReportOptions
from compare.report.overview.cards import overview_html
from compare.report.report import Report
from compare.report.views import render
from compare.report.views.quality_view import quality_html
from compare.report.words import quality_text
from compare.report.words import strings as report_strings
from compare.report.words.telemetry_text import telemetry_html
from compare_page import strings
from compare_page.events import PRIVATE, VISITOR, VisitorIdentity
from compare_page.links import RunLinks
from compare_page.scripts import FIT_CHARTS_JS, MARK_PRICES_JS
from ui.middleware.refusals import refusal
from ui.static.scripts import download_js, key_js

# How each file is written, and its media type.
WRITERS: dict[str, tuple[Callable[[Report], str], str]] = {
    "html": (html, "text/html"),
    "csv": (lambda report: requests_csv(report.run), "text/csv"),
    "md": (report_markdown, "text/markdown"),
}
ALTERNATIVES = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]
MAX_PRICES_CHARACTERS, MAX_ALTERNATIVES = 2000, 20


class Results:
    """Creates its components where it is constructed; `show` with `inputs` fills `outputs`."""

    def __init__(self, service: ComparisonService, identity: VisitorIdentity) -> None:
        self.service = service
        self._identity = identity
        self._create_components()
        self.inputs: list[Any] = [identity.key, self.run, self.earlier, self.definition, self.objective, self.prices,
                                  self.alternatives, self.utilization, self.spot, self.margin]  # fmt: skip
        self.outputs: list[Any] = [
            self.overview, self.verdict, self.margin_part, self.answers, self.metrics, self.cost, self.price_errors,
            self.settings,
            *(part for pair in self.charts.values() for part in pair), self.raw,
        ]  # fmt: skip
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
        self.overview = gr.HTML("", elem_id="overview")
        with gr.Tabs(elem_id="details"):
            with gr.Tab(strings.METRICS):
                self._create_metrics()
            with gr.Tab(report_strings.VERDICT):
                self.verdict = gr.HTML("", elem_id="verdict")
                with gr.Column(visible=False) as self.margin_part:
                    self.margin = gr.Slider(
                        1, 20, MARGIN * 100, step=1, label=strings.MARGIN, info=strings.MARGIN_INFO, elem_id="margin"
                    )
            with gr.Tab(quality_text.ANSWERS):
                self.answers = gr.HTML("", elem_id="answers")
            with gr.Tab(report_strings.CHARTS) as self._charts_tab, gr.Row(elem_id="charts"):
                self.charts = {name: _create_chart(title) for name, title in report_strings.CHART_TITLES.items()}
            with gr.Tab(report_strings.COST):
                self.cost = gr.HTML("", elem_id="cost")
                self._create_prices()
            with gr.Tab(strings.THIS_RUN):
                self._create_files()

    def _create_metrics(self) -> None:
        self.metrics = gr.HTML("", elem_id="metrics-table")
        with gr.Row():
            definitions = [(title, name) for name, title in TITLES.items()]
            self.definition = gr.Dropdown(
                definitions, value="spaceport", label=strings.DEFINITIONS, elem_id="definition"
            )
            self.objective = gr.Dropdown(list(OBJECTIVES), value="default", label=strings.OBJECTIVES)

    def _create_prices(self) -> None:
        self.prices = gr.Textbox(
            "", label=strings.PRICES_LABEL, lines=2, max_length=MAX_PRICES_CHARACTERS,
            placeholder=strings.PRICES_PLACEHOLDER, elem_id="prices",
        )  # fmt: skip
        self.price_errors = gr.HTML("", elem_id="price-errors")
        self.alternatives = gr.Dropdown(
            ALTERNATIVES, value=[], multiselect=True, allow_custom_value=True, label=strings.BREAK_EVEN,
            info=strings.BREAK_EVEN_INFO,
        )  # fmt: skip
        self.utilization = gr.Slider(1, 100, 100, step=1, label=strings.UTILIZATION, info=strings.UTILIZATION_INFO)
        self.spot = gr.Checkbox(label=strings.SPOT)

    def _create_files(self) -> None:
        with gr.Row(elem_id="files"):
            self.raw = gr.DownloadButton(strings.RAW_FILE, visible=False, size="sm")
            self.files = {suffix: gr.Button(label, size="sm") for suffix, label in strings.FILES.items()}
        self.links = RunLinks(self.service, self._identity, self.run)
        self._download = gr.Textbox(visible=False)
        self.settings = gr.HTML("", elem_id="repeat")
        self.upload = gr.File(label=strings.OPEN_RUN, file_types=[".jsonl"], height=140, elem_id="open")

    def _connect_events(self) -> None:
        key, waiting = self._identity.key, {"concurrency_limit": None, **VISITOR}
        self.upload.upload(self.open_run, [key, self.upload], [self.run, self.upload], **waiting)
        self._charts_tab.select(None, None, None, js=FIT_CHARTS_JS, **PRIVATE)
        self.price_errors.change(None, self.price_errors, None, js=MARK_PRICES_JS, **PRIVATE)
        self.run.change(self.update_earlier, [key, self.run, self.earlier], self.earlier, queue=False, **VISITOR)
        changes = [component.change for component in self.inputs[1:]]
        gr.on(changes, self.show, self.inputs, self.outputs, trigger_mode="always_last", **waiting)
        for suffix, button in self.files.items():
            _, media_type = WRITERS[suffix]
            fields = [gr.State(suffix), *self.inputs]
            button.click(self.write, fields, self._download, **{**waiting, "js": key_js(1)}).then(
                None, self._download, self._download, js=download_js(f"measurement.{suffix}", media_type), **PRIVATE
            )

    async def show(
        self,
        key: str, name: str | None, earlier: str, definition: str, objective: str, prices: str, alternatives: list[str],
        utilization: float, spot: bool, margin: float, request: gr.Request,
    ) -> list[Any]:  # fmt: skip
        """Show a stored run."""
        if not name:
            return [f'<p class="sp-empty">{strings.NO_RUN}</p>', *[gr.skip()] * (len(self.outputs) - 1)]
        options = _options(definition, objective, prices, alternatives, utilization, spot, margin)
        visitor, caller = self._identity.visitor(key, request), self._identity.caller(key, request)
        try:
            parts = await self.service.admission.view(caller, self._draw, visitor, name, _run_name(earlier), options)
            return [*parts, gr.DownloadButton(value=self.service.path(visitor, name), visible=True)]
        except SpaceportError as error:
            raise refusal(error) from error

    def _draw(self, visitor: Visitor, name: str, earlier: str | None, options: ReportOptions) -> list[Any]:
        report = self.service.report(visitor, name, earlier, options)
        figures = charts.draw_charts(report)
        pictures = [(gr.Column(visible=chart in figures), figures.get(chart)) for chart in self.charts]
        return [
            overview_html(report),
            render.verdict_html(report),
            gr.Column(visible=bool(report.quality)),
            quality_html(report),
            render.metrics_html(report),
            render.cost_html(report) + telemetry_html(report),
            _price_errors_html(report),
            render.reproduce_html(report),
            *(part for pair in pictures for part in pair),
        ]

    async def write(
        self,
        suffix: str, key: str, name: str | None, earlier: str, definition: str, objective: str, prices: str,
        alternatives: list[str], utilization: float, spot: bool, margin: float, request: gr.Request,
    ) -> str:  # fmt: skip
        """Return the report as the text of a file. None is stored: every visitor could fill the disk with them."""
        if not name:
            return ""
        options = _options(definition, objective, prices, alternatives, utilization, spot, margin)
        visitor = self._identity.visitor(key, request)
        caller = self._identity.caller(key, request)
        try:
            return await self.service.admission.view(
                caller, self._write, suffix, visitor, name, _run_name(earlier), options
            )
        except SpaceportError as error:
            raise refusal(error) from error

    def _write(self, suffix: str, visitor: Visitor, name: str, earlier: str | None, options: ReportOptions) -> str:
        write, _ = WRITERS[suffix]
        text = write(self.service.report(visitor, name, earlier, options))
        return text.encode(errors="backslashreplace").decode()

    async def open_run(self, key: str, path: str | None, request: gr.Request) -> tuple[Any, Any]:
        """Add an uploaded run to the list and select it; the field is then free for the next one."""
        visitor, caller = self._identity.visitor(key, request), self._identity.caller(key, request)
        if not path:
            return gr.skip(), gr.skip()
        try:
            name = await self.service.admission.view(caller, self.service.open_run, visitor, Path(path))
        except SpaceportError as error:
            raise refusal(error) from error
        finally:
            _delete(Path(path))  # Gradio's copy, which anyone with its address can download
        return gr.Dropdown(choices=self.service.run_names(visitor), value=name), None

    def update_earlier(self, key: str, name: str | None, earlier: str, request: gr.Request) -> Any:
        """Offer all other runs for a comparison; a selection that is still possible stays."""
        visitor = self._identity.visitor(key, request)
        runs = [each for each in self.service.run_names(visitor) if each != name]
        value = earlier if earlier in runs else strings.NO_OTHER_RUN
        return gr.Dropdown(choices=[strings.NO_OTHER_RUN, *runs], value=value)


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)


def _create_chart(title: str) -> tuple[gr.Column, gr.Plot]:
    """Create a chart below its title: inside the picture, the toolbar would cover it."""
    with gr.Column(visible=False, min_width=320) as column:
        gr.HTML(f'<p class="sp-chart">{title}</p>')
        return column, gr.Plot(show_label=False, container=False)


def _price_errors_html(report: Report) -> str:
    """Return what is wrong with the prices, for below their field: all else is shown without them."""
    errors = "".join(f"<li>{escape(str(error))}</li>" for error in report.price_errors)
    return f'<ul class="sp-note sp-bad" role="alert">{errors}</ul>' if errors else ""


def _options(
    definition: str,
    objective: str,
    prices: str,
    alternatives: list[str],
    utilization: float,
    spot: bool,
    margin: float = MARGIN * 100,
) -> ReportOptions:
    # A program can send more than the fields hold, and each line is looked up among all prices.
    lines, models = prices[:MAX_PRICES_CHARACTERS].splitlines(), alternatives[:MAX_ALTERNATIVES]
    return ReportOptions(definition, objective, lines, utilization / 100, spot, models, margin / 100)


def _run_name(earlier: str) -> str | None:
    return None if earlier == strings.NO_OTHER_RUN else earlier
