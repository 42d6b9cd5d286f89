"""The page of Compare platforms; `compare` and `backends` do the work."""

from __future__ import annotations

import ui.gradio_imports  # noqa: F401 - before Gradio, whose import then takes two fifths less

# isort: split

import asyncio
import sys
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from backends import Catalog, NotConfigured, SpaceportError
from backends.machine.zero_gpu import load_on_zero_gpu
from compare.interactive.service import ComparisonService
from compare.measure.workloads.workload import MAX_FILE_BYTES
from compare.publish.published import PublishedResults
from compare_page import strings
from compare_page.css import CSS
from compare_page.events import PRIVATE, VISITOR, VisitorIdentity
from compare_page.leaderboard_page import LeaderboardPage
from compare_page.links import MEASURE
from compare_page.measure_page import MeasurePage
from compare_page.race_page import RacePage
from compare_page.scripts import READ_LINK_JS
from compare_page.targets import choices, unavailable_html
from ui import html, launch
from ui.admission.client import caller_of
from ui.link_preview import LinkPreview
from ui.middleware.public_blocks import PublicBlocks
from ui.middleware.refusals import refusal
from ui.middleware.request_limits import RequestLimits

MAX_DOCUMENTS = 20  # in one upload, for questions
ARGUMENTS = launch.parse_arguments(sys.argv[1:] if __name__ == "__main__" else [], strings.DESCRIPTION)
try:
    LIMITS = RequestLimits.from_environment(max_file_mb=MAX_FILE_BYTES // 1_000_000, max_files=MAX_DOCUMENTS)
    if gr.NO_RELOAD:  # visitors' data outlives an edit of this file
        SERVICE = ComparisonService(Catalog.load(ARGUMENTS.catalog), Path(__file__).parent / "results")
    TARGETS = SERVICE.catalog.targets()
    if ARGUMENTS.backend:
        SERVICE.catalog.target(ARGUMENTS.backend)  # reports an unknown name now
except NotConfigured as error:
    raise SystemExit(error.for_terminal) from error
AVAILABLE = [target for target in TARGETS if not target.unavailable]
CHOICES = choices(AVAILABLE)
SELECTED = list(dict.fromkeys([*filter(None, [ARGUMENTS.backend]), *(target.name for target in AVAILABLE)]))[:2]
load_on_zero_gpu(SERVICE.catalog.connect, SELECTED)


async def check_targets() -> tuple[Any, Any, str, str]:
    """Return the targets that answer now, and why the others don't."""
    targets = await SERVICE.catalog.check_targets()
    usable = choices(target for target in targets if not target.unavailable or target.name in SELECTED)
    groups = gr.CheckboxGroup(choices=usable), gr.CheckboxGroup(choices=usable)
    return *groups, unavailable_html(targets), unavailable_html(targets)


async def answers(prompt: str, request: gr.Request, targets: str = SELECTED[0] if SELECTED else "") -> dict[str, str]:
    """Return each target's complete answer; separate target names with commas (for API clients)."""
    admission, caller = SERVICE.admission, caller_of(request)
    try:
        await asyncio.to_thread(admission.take_question, caller)
        async with admission.answers.place(caller), admission.time_limit():
            return await SERVICE.answers(prompt, [name.strip() for name in targets.split(",") if name.strip()])
    except SpaceportError as error:
        raise refusal(error) from error


with PublicBlocks(title=strings.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(300, 3600)) as demo:
    identity = VisitorIdentity(SERVICE)
    gr.HTML(html.header_html(strings.TITLE, strings.SUBTITLE))
    with gr.Tabs() as tabs:
        with gr.Tab(strings.RACE_TAB):
            race = RacePage(SERVICE, identity, CHOICES, SELECTED)
        with gr.Tab(strings.MEASURE_TAB, id=MEASURE):
            measure = MeasurePage(SERVICE, identity, ARGUMENTS.catalog, CHOICES, SELECTED)
        if published := PublishedResults.from_environment():
            with gr.Tab(strings.LEADERBOARD_TAB) as leaderboard_tab:
                LeaderboardPage(SERVICE, identity, published, leaderboard_tab)
    link = gr.Textbox(visible=False)
    page_load = demo.load(identity.open_page, identity.key, identity.key, queue=False, **VISITOR)
    page_load.then(None, link, link, js=READ_LINK_JS, **PRIVATE).then(
        measure.results.links.open_link,
        [identity.key, link],
        [measure.results.run, tabs],
        concurrency_limit=None,
        **VISITOR,
    ).then(measure.results.show, measure.results.inputs, measure.results.outputs, concurrency_limit=None, **VISITOR)
    demo.load(check_targets, None, [race.targets, measure.targets, race.unavailable, measure.unavailable], **PRIVATE)
    gr.api(answers, api_name="answers", concurrency_limit=None)
demo.queue(**launch.QUEUE)

if __name__ == "__main__":
    preview = Middleware(LinkPreview, strings.TITLE, strings.SUBTITLE, Path(__file__).with_name("preview.png"))
    demo.launch(**launch.launch_arguments(ARGUMENTS, LIMITS, css=CSS, preview=preview))
