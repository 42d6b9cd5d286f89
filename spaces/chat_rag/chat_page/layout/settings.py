"""What a visitor can set, folded at the end of the sidebar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from chat_page.strings import ENGLISH, Strings
from chat_page.translations.labels import label, translated
from rag.answering.options import AnswerOptions
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
    download: gr.Button
    delete: gr.Button
    better_model: gr.Button
    model_progress: gr.HTML
    unavailable: gr.HTML

    @property
    def answer_options(self) -> list[Component]:
        """The components with the options of an answer, in the order of `AnswerHandlers.respond`."""
        return [self.passages, self.max_tokens, self.temperature, self.system, self.general_knowledge]


def build_settings(better_model: Callable[[Strings], str]) -> Settings:
    """Build the settings inside the current block; `better_model` returns the text of the button that offers one."""
    with closed_section(label("settings")):
        return Settings(
            general_knowledge=gr.Checkbox(False, label=label("general_knowledge"), elem_id="general_knowledge"),
            passages=gr.Slider(1, 12, DEFAULTS.passages, step=1, label=label("passages")),
            temperature=gr.Slider(0, 1.5, DEFAULTS.temperature, step=0.1, label=label("temperature")),
            max_tokens=gr.Slider(16, 4096, DEFAULTS.max_tokens, step=16, label=label("max_tokens")),
            system=gr.Textbox("", label=label("system"), lines=2, placeholder=label("system_hint")),
            download=gr.Button(label("download_all"), size="sm", variant="secondary", elem_id="download-chats"),
            delete=gr.Button(label("delete"), size="sm", variant="stop", elem_id="delete"),
            better_model=gr.Button(
                translated(better_model), visible=bool(better_model(ENGLISH)), size="sm", elem_id="better_model"
            ),
            model_progress=gr.HTML(""),
            unavailable=gr.HTML("", elem_id="unavailable"),
        )
