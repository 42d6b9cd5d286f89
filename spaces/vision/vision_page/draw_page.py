"""The tab for prompts: its components and their events."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from backends import SpaceportError, Target
from backends.diffusion.limits import PictureLimits
from backends.diffusion.types import PictureRequest
from backends.streams import closing
from ui.event_chains import call_after
from ui.html import folded_unavailable_html
from ui.middleware.refusals import Refusal, refusal
from vision_page import strings
from vision_page.drawing import DrawingService
from vision_page.drawn_pictures import Canvas
from vision_page.targets import MAX_TARGETS
from vision_page.visitor import PRIVATE, VISITOR, Visitor

PREVIEWS = 4
SIZES = {"512x512": (512, 512), "768x512": (768, 512), "512x768": (512, 768), "1024x1024": (1024, 1024)}
MAX_CHARACTERS = PictureLimits.max_prompt_characters
MAX_SEED = 2**32 - 1
# On a phone the pictures are below the form.
SHOW_PICTURES_JS = """() => {
  if (innerWidth < 700) document.querySelector("#pictures")?.scrollIntoView({behavior: "smooth", block: "start"});
}"""
# A preview stays when a visitor stops; what was being done doesn't.
END_STEPS_JS = '() => document.querySelectorAll("#pictures .sp-progress").forEach((step) => step.remove())'


class DrawPage:
    """Creates its components where it is constructed."""

    def __init__(
        self, service: DrawingService, visitor: Visitor, targets: Sequence[Target], selected: list[str]
    ) -> None:
        self._service = service
        self._visitor = visitor
        choices = [(target.title, target.name) for target in targets if not target.unavailable]
        if not choices:
            gr.HTML(_how_to_switch_on(), elem_id="no-generators")
            gr.HTML(folded_unavailable_html(targets, strings.unavailable_models))
            return
        with gr.Row():
            with gr.Column(min_width=300):
                self._create_form(choices, selected)
            with gr.Column(min_width=300, scale=2):
                self.empty = gr.HTML(f'<p class="sp-empty">{strings.DRAW_EMPTY}</p>', elem_id="empty-drawing")
                with gr.Row(elem_id="pictures"):
                    self.columns = [part for _ in range(MAX_TARGETS) for part in self._create_column()]
        gr.HTML(folded_unavailable_html(targets, strings.unavailable_models))
        self._connect_events()

    def _create_form(self, choices: list[tuple[str, str]], selected: list[str]) -> None:
        self.prompt = gr.Textbox(
            label=strings.PROMPT, placeholder=strings.PROMPT_PLACEHOLDER, lines=3, max_lines=8,
            max_length=MAX_CHARACTERS, elem_id="prompt",
        )  # fmt: skip
        gr.Examples(strings.EXAMPLE_PROMPTS, self.prompt, label=strings.EXAMPLES)
        sizes = [(strings.SIZE_OF_MODEL, ""), *((name.replace("x", " × "), name) for name in SIZES)]
        with gr.Row():
            self.size = gr.Dropdown(sizes, value="", label=strings.SIZE, min_width=140, elem_id="size")
            self.seed = gr.Textbox(
                label=strings.SEED, placeholder=strings.SEED_PLACEHOLDER, max_length=10, min_width=140, elem_id="seed"
            )
        self.targets = gr.CheckboxGroup(choices, value=selected, label=strings.GENERATORS, elem_id="generators")
        self.draw = gr.Button(strings.DRAW, variant="primary", elem_id="draw")
        self.stop = gr.Button(strings.STOP, visible=False, elem_id="stop-drawing")

    def _create_column(self) -> tuple[Any, Any]:
        with gr.Column(visible=False, min_width=260, elem_classes="sp-column") as column:
            return column, gr.HTML("")

    def _connect_events(self) -> None:
        buttons, drawings = [self.draw, self.stop], []
        fields = [self.prompt, self.size, self.seed, self.targets]
        for start in (self.draw.click, self.prompt.submit):
            # Gradio shows the words of a refusal only if the event went through the queue (6.31).
            begin = start(self.begin, fields, [*buttons, self.empty], **PRIVATE)
            inputs = [self._visitor.key, *fields]
            drawing = begin.success(self.show, inputs, self.columns, concurrency_limit=None, **VISITOR)
            begin.success(None, None, None, js=SHOW_PICTURES_JS, **PRIVATE)
            call_after(drawing, self.finish, None, buttons, queue=False, **PRIVATE)
            drawings.append(drawing)
        self.stop.click(self.finish, None, buttons, cancels=drawings, queue=False, **PRIVATE)
        self.stop.click(None, None, None, js=END_STEPS_JS, **PRIVATE)

    def begin(self, prompt: str, size: str, seed: str, targets: list[str]) -> tuple[Any, Any, Any]:
        """Turn the button into Stop; refuse what can't start."""
        read_form(prompt, size, seed, targets)
        return gr.Button(visible=False), gr.Button(visible=True), gr.HTML(visible=False)

    async def show(
        self, key: str, prompt: str, size: str, seed: str, targets: list[str], request: gr.Request
    ) -> AsyncIterator[list[Any]]:
        """Show each picture as it comes."""
        wanted = read_form(prompt, size, seed, targets)
        admission, caller = self._service.admission, self._visitor.caller(key, request)
        last_html: list[str] = []
        try:
            admission.take_question(caller)
            async with admission.answers.place(caller):
                updates = admission.in_time(self._service.draw(wanted, targets))
                async with closing(updates):
                    async for canvases in updates:
                        yield _column_updates(canvases, last_html)
        except SpaceportError as error:
            raise refusal(error) from error

    def finish(self) -> tuple[Any, Any]:
        """Offer the button again."""
        return gr.Button(visible=True), gr.Button(visible=False)


def read_form(prompt: str | None, size: str | None, seed: str | None, targets: list[str] | None) -> PictureRequest:
    """Return what the form asks for; without a seed, all models get the same random one."""
    if not prompt or not prompt.strip():
        raise Refusal(strings.NO_PROMPT)
    if len(prompt) > MAX_CHARACTERS:
        raise Refusal(strings.PROMPT_TOO_LONG.format(limit=MAX_CHARACTERS))
    if size and size not in SIZES:
        raise Refusal(strings.WRONG_SIZE)
    if not targets:
        raise Refusal(strings.NO_GENERATOR)
    if len(targets) > MAX_TARGETS:
        raise Refusal(strings.TOO_MANY_GENERATORS)
    number = (seed or "").strip() or str(secrets.randbelow(MAX_SEED))
    if not (number.isascii() and number.isdecimal()) or int(number) > MAX_SEED:
        raise Refusal(strings.WRONG_SEED.format(limit=MAX_SEED))
    return PictureRequest(prompt.strip(), size=SIZES.get(size or ""), seed=int(number), previews=PREVIEWS)


def _column_updates(canvases: list[Canvas], last_html: list[str]) -> list[Any]:
    """Return the updates of all columns; a column as in `last_html`, with a large picture, isn't sent again."""
    before = list(last_html)
    last_html[:] = [canvas.html for canvas in canvases]
    updates: list[Any] = []
    for place in range(MAX_TARGETS):
        if place >= len(last_html):
            updates += [gr.skip(), gr.skip()] if before else [gr.Column(visible=False), ""]
        elif place < len(before) and last_html[place] == before[place]:
            updates += [gr.skip(), gr.skip()]
        else:
            updates += [gr.skip() if before else gr.Column(visible=True), last_html[place]]
    return updates


def _how_to_switch_on() -> str:
    """Return what to do where no model is set up."""
    ways = (
        (strings.IN_THIS_PAGE, strings.SWITCH_ON_PAGE),
        (strings.ON_A_SERVER, strings.SWITCH_ON_SERVER),
    )
    items = "".join(f"<li><p>{escape(text)}</p><pre><code>{escape(code)}</code></pre></li>" for text, code in ways)
    return f'<div class="sp-switch-on"><p>{escape(strings.NO_GENERATORS)}</p><ul>{items}</ul></div>'
