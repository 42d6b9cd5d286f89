"""Compare platforms: the page. What it shows is thought out in `compare` and `backends`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gradio as gr

from backends import Catalog, NotConfigured
from compare.measure.workload import MAX_FILE_BYTES
from compare.service import ComparisonService
from compare_page.measure_page import MeasurePage
from compare_page.race_page import RacePage
from ui import html, launch

ARGUMENTS = launch.parse_arguments(sys.argv[1:] if __name__ == "__main__" else [], "Model backends, side by side.")
try:
    if gr.NO_RELOAD:  # what belongs to visitors outlives an edit of this file
        STUDIO = ComparisonService(Catalog.load(ARGUMENTS.catalog), Path(__file__).parent / "results")
    KNOWN = STUDIO.catalog.targets()
    if ARGUMENTS.backend:
        STUDIO.catalog.target(ARGUMENTS.backend)  # a name that does not exist is told now
except NotConfigured as error:
    raise SystemExit(error.for_terminal) from error
USABLE = [target for target in KNOWN if not target.unavailable]
CHOICES = [(target.title, target.name) for target in USABLE]
CHOSEN = list(dict.fromkeys([*filter(None, [ARGUMENTS.backend]), *(target.name for target in USABLE)]))[:2]


async def survey() -> tuple[Any, Any, str, str]:
    """Which targets answer now, and why the others do not."""
    known = await STUDIO.catalog.check_targets()
    choices = [(target.title, target.name) for target in known if not target.unavailable or target.name in CHOSEN]
    groups = gr.CheckboxGroup(choices=choices), gr.CheckboxGroup(choices=choices)
    return *groups, html.unavailable_html(known), html.unavailable_html(known)


async def answers(prompt: str, targets: str = CHOSEN[0] if CHOSEN else "") -> dict[str, str]:
    """The whole answer of each target, whose names are separated by commas (for API clients)."""
    return await STUDIO.answers(prompt, [name.strip() for name in targets.split(",") if name.strip()])


def leave(request: gr.Request) -> None:
    STUDIO.visitors.forget(request.session_hash)


private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
with gr.Blocks(title="Compare platforms", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as demo:
    gr.HTML(html.header_html("Compare platforms", "The same prompts on several backends, with numbers that hold"))
    with gr.Tab("Race"):
        racing = RacePage(STUDIO, CHOICES, CHOSEN)
    with gr.Tab("Measure"):
        measuring = MeasurePage(STUDIO, ARGUMENTS.catalog, CHOICES, CHOSEN)
    demo.load(measuring.show, measuring.seen, measuring.shown, **private)
    demo.load(survey, None, [racing.targets, measuring.targets, racing.unavailable, measuring.unavailable], **private)
    demo.unload(leave)
    gr.api(answers, api_name="answers")
demo.queue(max_size=64)

if __name__ == "__main__":
    demo.launch(**launch.launch_arguments(ARGUMENTS, max_file_mb=MAX_FILE_BYTES // 1_000_000))
