"""The page of the vision Space; `backends.vision` and `backends.diffusion` do the work."""

from __future__ import annotations

import ui.gradio_imports  # noqa: F401 - before Gradio, whose import then takes two fifths less

# isort: split

import base64
import binascii
import sys
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from backends import Catalog, NotConfigured, SpaceportError
from ui import html, launch
from ui.admission.client import caller_of
from ui.link_preview import LinkPreview
from ui.middleware.public_blocks import PublicBlocks
from ui.middleware.refusals import invalid, refusal
from ui.middleware.request_limits import RequestLimits
from vision_page import strings
from vision_page.css import CSS
from vision_page.draw_page import DrawPage
from vision_page.drawing import DrawingService
from vision_page.page import VisionPage
from vision_page.service import VisionService
from vision_page.visitor import VISITOR, Visitor

MAX_FILE_MB = 10
TARGETS_FILE = Path(__file__).with_name("targets.toml")
ARGUMENTS = launch.parse_arguments(sys.argv[1:] if __name__ == "__main__" else [], strings.DESCRIPTION)
try:
    LIMITS = RequestLimits.from_environment(max_file_mb=MAX_FILE_MB, max_files=1)
    if gr.NO_RELOAD:  # the models outlive an edit of this file
        CATALOG = Catalog.load(ARGUMENTS.catalog or TARGETS_FILE)
        SERVICE = VisionService(CATALOG)
        DRAWING = DrawingService(CATALOG, SERVICE.admission)
        DRAWING.load_on_zero_gpu()
    TARGETS, GENERATORS = SERVICE.targets(), DRAWING.targets()
    CHOSEN = DRAWING if ARGUMENTS.backend in DRAWING.names else SERVICE
    if ARGUMENTS.backend:
        CHOSEN.connect(ARGUMENTS.backend)  # reports an unknown name now
    SELECTED = SERVICE.selection(ARGUMENTS.backend if CHOSEN is SERVICE else None)
    SELECTED_GENERATORS = DRAWING.selection(ARGUMENTS.backend if CHOSEN is DRAWING else None)
except NotConfigured as error:
    raise SystemExit(error.for_terminal) from error


async def classify(
    picture: str, request: gr.Request, target: str = SELECTED[0] if SELECTED else ""
) -> dict[str, float]:
    """Return the labels of a picture, its base64 or a data URL, with their probabilities (for API clients)."""
    admission, caller = SERVICE.admission, caller_of(request)
    try:
        content = base64.b64decode(picture.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("picture", "it should be base64") from error
    try:
        admission.take_question(caller)
        async with admission.answers.place(caller), admission.time_limit():
            result = await SERVICE.connect(target).classify(content)
    except SpaceportError as error:
        raise refusal(error) from error
    return {label.name: label.probability for label in result.labels}


with PublicBlocks(title=strings.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(300, 3600)) as demo:
    gr.HTML(html.header_html(strings.TITLE, strings.SUBTITLE))
    visitor = Visitor()
    with gr.Tabs(selected="draw" if CHOSEN is DRAWING else "classify"):
        with gr.Tab(strings.CLASSIFY_TAB, id="classify"):
            VisionPage(SERVICE, visitor, TARGETS, SELECTED)
        with gr.Tab(strings.DRAW_TAB, id="draw"):
            DrawPage(DRAWING, visitor, GENERATORS, SELECTED_GENERATORS)
    demo.load(visitor.enter, visitor.key, visitor.key, queue=False, **VISITOR)
    gr.api(classify, api_name="classify", concurrency_limit=None)
demo.queue(**launch.QUEUE)

if __name__ == "__main__":
    preview = Middleware(LinkPreview, strings.TITLE, strings.SUBTITLE, Path(__file__).with_name("preview.png"))
    demo.launch(**launch.launch_arguments(ARGUMENTS, LIMITS, css=CSS, preview=preview))
