"""What a visitor can set, folded at the end of the sidebar."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from chat_page.strings import ENGLISH
from rag.answering.types import AnswerOptions
from ui.sections import closed_section

DEFAULTS = AnswerOptions()


@dataclass(frozen=True, slots=True)
class Settings:
    """The components of the settings."""

    general_knowledge: gr.Checkbox
    passages: gr.Slider
    temperature: gr.Slider
    max_tokens: gr.Slider
    system: gr.Textbox
    delete: gr.Button
    better_model: gr.Button
    model_progress: gr.HTML
    unavailable: gr.HTML

    @property
    def answer_options(self) -> list[Component]:
        """The components with the options of an answer, in the order of `AnswerHandlers.respond`."""
        return [self.passages, self.max_tokens, self.temperature, self.system, self.general_knowledge]


def build_settings(better_model: str) -> Settings:
    """Build the settings inside the current block; `better_model` is the text of the button that offers one, or ""."""
    with closed_section(ENGLISH.settings):
        return Settings(
            general_knowledge=gr.Checkbox(False, label=ENGLISH.general_knowledge, elem_id="general_knowledge"),
            passages=gr.Slider(1, 12, DEFAULTS.passages, step=1, label=ENGLISH.passages),
            temperature=gr.Slider(0, 1.5, DEFAULTS.temperature, step=0.1, label=ENGLISH.temperature),
            max_tokens=gr.Slider(16, 4096, DEFAULTS.max_tokens, step=16, label=ENGLISH.max_tokens),
            system=gr.Textbox("", label=ENGLISH.system, lines=2, placeholder=ENGLISH.system_hint),
            delete=gr.Button(ENGLISH.delete, size="sm", variant="stop", elem_id="delete"),
            better_model=gr.Button(better_model, visible=bool(better_model), size="sm", elem_id="better_model"),
            model_progress=gr.HTML(""),
            unavailable=gr.HTML("", elem_id="unavailable"),
        )
