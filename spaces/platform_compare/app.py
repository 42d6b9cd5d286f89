"""Compare platforms: the page. What it shows is thought out in `compare` and `backends`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

import page
from backends import Catalog, NotConfigured, SpaceportError
from compare import charts, forms, lanes, render
from compare.definitions import TITLES
from compare.measure import Progress
from compare.objectives import OBJECTIVES
from compare.race import Race
from compare.studio import Studio, View
from compare.votes import LETTERS, TIE
from compare.workload import MAX_FILE_BYTES, SHAPES

LANES, PICTURES = 4, 5
PROMPTS = ["Why is the sky blue?", "Write three lines about the sea.", "Explain a hash table to a child."]
ALTERNATIVES = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]
NONE = "no other run"
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}

ARGUMENTS = page.arguments(sys.argv[1:] if __name__ == "__main__" else [], "Model backends, side by side.")
try:
    if gr.NO_RELOAD:  # what belongs to visitors outlives an edit of this file
        STUDIO = Studio(Catalog.load(ARGUMENTS.catalog), Path(__file__).parent / "results")
    USABLE = [target for target in STUDIO.catalog.targets() if not target.unavailable]
    FIRST = [ARGUMENTS.backend] if ARGUMENTS.backend else []
    CHOSEN = list(dict.fromkeys([*FIRST, *(target.name for target in USABLE)]))[:2]
except NotConfigured as error:
    raise SystemExit(error.for_terminal) from error
CHOICES = [(target.title, target.name) for target in USABLE]
RUNS = list(STUDIO.examples)


async def race(
    prompt: str, targets: list[str], blind: bool, max_tokens: float, temperature: float, request: gr.Request
) -> AsyncIterator[list[Any]]:
    """Stream every column of a race."""
    visitor = STUDIO.visitors.of(request.session_hash)
    try:
        async for running in STUDIO.race(
            visitor, prompt, targets, blind=blind, max_tokens=int(max_tokens), temperature=float(temperature)
        ):
            yield _columns(running)
    except SpaceportError as error:
        raise gr.Error(str(error), print_exception=False) from error


def begin(prompt: str) -> tuple[Any, Any]:
    """Turn the send button into Stop; the votes of the race before can no longer be cast."""
    if not prompt.strip():
        raise gr.Error("There is no prompt. Write one.", print_exception=False)
    return gr.Textbox(**BUSY), gr.Row(visible=False)


def settle(request: gr.Request) -> list[Any]:
    """After a race, or a Stop: nothing is pending, and two answers can be voted on."""
    running = STUDIO.visitors.of(request.session_hash).race
    if running is None:
        return [gr.Textbox(**READY), gr.Row(visible=False), *[gr.skip()] * (3 * LANES + len(ballots))]
    running.stop()
    labels = [f"{'Answer ' + LETTERS[place] if running.hidden else lane.title} is better"
              for place, lane in enumerate(running.lanes)]  # fmt: skip
    buttons = [gr.Button(labels[place], visible=True) if place < len(labels) else gr.Button(visible=False)
               for place in range(LANES)]  # fmt: skip
    return [gr.Textbox(**READY), gr.Row(visible=running.votable), *_columns(running), *buttons, gr.Button()]


def vote(choice: str, request: gr.Request) -> list[Any]:
    """Count the vote, show the names, and offer all votes as a file."""
    visitor = STUDIO.visitors.of(request.session_hash)
    running = STUDIO.vote(visitor, choice)
    columns = _columns(running) if running else [gr.skip()] * 3 * LANES
    path = visitor.folder / "votes.jsonl"
    path.write_text(visitor.ballot.jsonl(), encoding="utf-8")
    told = lanes.standing(visitor.ballot.standing())
    return [gr.Row(visible=False), told, gr.DownloadButton(value=path, visible=True), *columns]


async def measure(
    targets: list[str], workload: str, own: str | None, mode: str, loads: str,
    requests: float, warmup: float, seed: float, minutes: float, request: gr.Request,
) -> AsyncIterator[tuple[Any, Any, Any, Any]]:  # fmt: skip
    """Measure in the background: the progress, the two buttons, and at the end the run in the list."""
    visitor = STUDIO.visitors.of(request.session_hash)
    form = forms.Form(targets, workload, own, mode, loads, requests, warmup, seed, minutes)
    try:
        arguments = forms.arguments(form, ARGUMENTS.catalog)
        yield page.bar_html("Starting", None), gr.Button(visible=False), gr.Button(visible=True), gr.skip()
        name = gr.skip()
        async for step in STUDIO.measure(visitor, arguments, f"{' against '.join(targets)}, {workload}"):
            if isinstance(step, Progress):
                yield _progress(step), gr.skip(), gr.skip(), gr.skip()
            else:
                name = step
    except SpaceportError as error:
        failed = f'<p class="sp-note sp-bad" role="alert">{render.escape(str(error))}</p>'
        yield failed, gr.Button(visible=True), gr.Button(visible=False), gr.skip()
        return
    listed = gr.Dropdown(choices=STUDIO.runs(visitor), value=name) if isinstance(name, str) else gr.skip()
    yield "", gr.Button(visible=True), gr.Button(visible=False), listed


def stop_measuring(request: gr.Request) -> str:
    measuring = STUDIO.visitors.of(request.session_hash).measuring
    if measuring:
        measuring.stop()
    return page.bar_html("Stopping; what was measured stays", None)


def show(
    name: str | None, other: str, definition: str, objective: str, prices: str, alternatives: list[str],
    utilisation: float, spot: bool, request: gr.Request,
) -> list[Any]:  # fmt: skip
    """A stored run: verdict, figures, cost, pictures, files."""
    visitor = STUDIO.visitors.of(request.session_hash)
    if not name:
        return ['<p class="sp-empty">Measure, or open a stored run, to see its figures.</p>', *[gr.skip()] * 12]
    view = View(definition, objective, prices, utilisation / 100, spot, [f"tokens:{model}" for model in alternatives])
    try:
        report = STUDIO.report(visitor, name, None if other == NONE else other, view)
        files = STUDIO.export(visitor, name, report)
    except SpaceportError as error:
        raise gr.Error(str(error), print_exception=False) from error
    drawn = [gr.Plot(figure, visible=True) for figure in charts.pictures(report).values()]
    drawn += [gr.Plot(visible=False)] * (PICTURES - len(drawn))
    pieces = [render.verdict_html(report), render.figures_html(report), render.cost_html(report)]
    buttons = [gr.DownloadButton(value=files[suffix], visible=True) for suffix in ("html", "jsonl", "csv", "md")]
    return [*pieces, *drawn, render.repeat_html(report), *buttons]


def open_run(path: str | None, request: gr.Request) -> Any:
    """List a stored run that was dropped on the page."""
    visitor = STUDIO.visitors.of(request.session_hash)
    if not path:
        return gr.skip()
    try:
        name = STUDIO.open(visitor, Path(path))
    except SpaceportError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return gr.Dropdown(choices=STUDIO.runs(visitor), value=name)


def others(name: str | None, request: gr.Request) -> Any:
    """The runs that this one can be compared with."""
    runs = [each for each in STUDIO.runs(STUDIO.visitors.of(request.session_hash)) if each != name]
    return gr.Dropdown(choices=[NONE, *runs], value=NONE)


async def survey() -> tuple[Any, Any, str]:
    """Which targets answer now, and why the others do not."""
    known = await STUDIO.catalog.reach()
    choices = [(target.title, target.name) for target in known if not target.unavailable or target.name in CHOSEN]
    return gr.CheckboxGroup(choices=choices), gr.CheckboxGroup(choices=choices), page.unavailable_html(known)


def leave(request: gr.Request) -> None:
    STUDIO.visitors.forget(request.session_hash)


def _columns(running: Race) -> list[Any]:
    shown: list[Any] = []
    for place in range(LANES):
        if place < len(running.lanes):
            lane = running.lanes[place]
            shown += [gr.Column(visible=True), lanes.head(lane, place, hidden=running.hidden), lanes.body(lane)]
        else:
            shown += [gr.Column(visible=False), "", ""]
    return shown


def _progress(step: Progress) -> str:
    left = "" if step.left is None else f" · about {step.left:,.0f} s left"
    return page.bar_html(f"{step.done} of {step.total} requests{left} · {step.doing}", step.done / step.total)


private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
with gr.Blocks(title="Compare platforms", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as demo:
    gr.HTML(page.head_html("Compare platforms", "The same prompts on several backends, with numbers that hold"))
    with gr.Tab("Race"):
        gr.HTML('<p class="sp-note">A show, not a measurement: all answer at once and share this machine.</p>')
        racers = gr.CheckboxGroup(CHOICES, value=CHOSEN, label="Two to four targets", elem_id="racers")
        prompt = gr.Textbox(
            label="Prompt", show_label=False, placeholder="One prompt for all of them", submit_btn=True, autofocus=True,
            max_lines=6, max_length=20_000, elem_id="prompt",
        )  # fmt: skip
        gr.Examples(PROMPTS, prompt, label="Or one of these")
        with gr.Row():
            blind = gr.Checkbox(False, label="Hide the names until I have voted", elem_id="blind")
            max_tokens = gr.Slider(16, 2048, 256, step=16, label="Longest answer, in tokens")
            temperature = gr.Slider(0, 1.5, 0.2, step=0.1, label="Temperature")
        with gr.Row(elem_id="lanes"):
            columns: list[Any] = []
            for _ in range(LANES):
                with gr.Column(visible=False, min_width=280, elem_classes="sp-column") as column:
                    columns += [column, gr.HTML(""), gr.Markdown("", elem_classes="sp-answer", sanitize_html=True)]
        with gr.Row(visible=False, elem_id="ballot") as ballot:
            ballots = [gr.Button("", size="sm") for _ in range(LANES)] + [gr.Button("They are equal", size="sm")]
        standing = gr.HTML("")
        taken = gr.DownloadButton("My votes (JSONL)", visible=False, size="sm")

    with gr.Tab("Measure"), gr.Row():
        with gr.Column(scale=2, min_width=300):
            measured = gr.CheckboxGroup(CHOICES, value=CHOSEN, label="Targets", elem_id="targets")
            workload = gr.Dropdown(
                [(shape.label, name) for name, shape in SHAPES.items()], value="short", label="Prompts"
            )
            with gr.Accordion("Load and repetitions", open=False):
                mode = gr.Radio(list(forms.MODES), value=next(iter(forms.MODES)), label="How requests are sent")
                loads = gr.Textbox("1", label="How many", info="Several: 1, 4, 16", elem_id="loads")
                warmup = gr.Number(2, label="Warm-up requests, not counted", precision=0)
                seed = gr.Number(0, label="Seed of the order", precision=0)
                minutes = gr.Number(30, label="Minutes at most")
                own = gr.File(label="Own prompts (JSONL)", file_types=[".jsonl"], height=120, elem_id="own")
            requests = gr.Number(
                40, label="Requests a target and load", precision=0, elem_id="requests",
                info="40 tell medians 15 % apart on a quiet server, 400 tell 5 %; more for p95",
            )  # fmt: skip
            start = gr.Button("Measure", variant="primary", elem_id="measure")
            stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop")
            progress = gr.HTML("", elem_id="progress")
            unavailable = gr.HTML("", elem_id="unavailable")
        with gr.Column(scale=5, min_width=320):
            with gr.Row():
                chosen = gr.Dropdown(RUNS, value=RUNS[0] if RUNS else None, label="Run", elem_id="run")
                other = gr.Dropdown([NONE], value=NONE, label="Against")
            verdict = gr.HTML("", elem_id="verdict")
            with gr.Accordion("Figures", open=True):
                with gr.Row():
                    definition = gr.Dropdown(
                        [(title, name) for name, title in TITLES.items()], value="spaceport",
                        label="By the definitions of", elem_id="definition",
                    )  # fmt: skip
                    objective = gr.Dropdown(list(OBJECTIVES), value="default", label="Objectives of goodput")
                figures = gr.HTML("", elem_id="figures-table")
            with gr.Accordion("Cost", open=True):
                cost = gr.HTML("", elem_id="cost")
                with gr.Accordion("Prices", open=False):
                    prices = gr.Textbox(
                        "", lines=2, label="A line for each target", elem_id="prices",
                        placeholder="gpu = ml.g5.xlarge\nlaptop = 0.05/h\ncloud = tokens:openai/gpt-4o-mini",
                    )  # fmt: skip
                    alternatives = gr.Dropdown(
                        ALTERNATIVES, value=[], multiselect=True, allow_custom_value=True,
                        label="Break-even against a price by the token",
                    )  # fmt: skip
                    utilisation = gr.Slider(1, 100, 100, step=1, label="Used, in % of the measured throughput")
                    spot = gr.Checkbox(False, label="Spot prices where there are any")
            with gr.Row(elem_id="pictures"):
                plots = [gr.Plot(visible=False, show_label=False, min_width=320) for _ in range(PICTURES)]
            with gr.Accordion("To repeat it", open=False):
                repeat = gr.HTML("")
                dropped = gr.File(label="Open a stored run (JSONL)", file_types=[".jsonl"], height=120, elem_id="open")
            with gr.Row(elem_id="files"):
                labels = ("Report (HTML)", "Raw arrivals (JSONL)", "Requests (CSV)", "Table (Markdown)")
                files = [gr.DownloadButton(label, size="sm", visible=False, min_width=120) for label in labels]

    asked = prompt.submit(begin, prompt, [prompt, ballot], queue=False, **private)
    racing = asked.success(
        race, [prompt, racers, blind, max_tokens, temperature], columns, concurrency_limit=8, **private
    )
    settled = [prompt, ballot, *columns, *ballots]
    racing.then(settle, None, settled, queue=False, **private)
    prompt.stop(settle, None, settled, cancels=racing, queue=False, **private)
    for letter, button in zip([*LETTERS, TIE], ballots, strict=True):
        button.click(vote, gr.State(letter), [ballot, standing, taken, *columns], **private)

    fields = [measured, workload, own, mode, loads, requests, warmup, seed, minutes]
    start.click(measure, fields, [progress, start, stop, chosen], concurrency_limit=8, **private)
    stop.click(stop_measuring, None, progress, queue=False, **private)
    dropped.upload(open_run, dropped, chosen, **private)
    seen = [chosen, other, definition, objective, prices, alternatives, utilisation, spot]
    shown = [verdict, figures, cost, *plots, repeat, *files]
    chosen.change(others, chosen, other, **private)
    gr.on([demo.load, *(each.change for each in seen)], show, seen, shown, trigger_mode="always_last", **private)
    demo.load(survey, None, [racers, measured, unavailable], **private)
    demo.unload(leave)
demo.queue(max_size=64)

if __name__ == "__main__":
    demo.launch(**page.serving(ARGUMENTS, max_file_mb=MAX_FILE_BYTES // 1_000_000))
