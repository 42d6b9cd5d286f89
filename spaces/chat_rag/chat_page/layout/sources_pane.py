"""The right of the page: the sources of the answers, only when there are any. On a phone it's a sheet from below."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from chat_page import scripts
from chat_page.sources import panel
from chat_page.strings import Strings
from chat_page.translations.labels import translated


@dataclass(frozen=True, slots=True)
class SourcesPane:
    """The list of sources, and the hidden component that brings the place of an open one."""

    sources: gr.HTML
    preview: gr.HTML


def build_sources_pane() -> SourcesPane:
    """Build the pane inside the current block."""
    with gr.Column(elem_id="pane", scale=0, min_width=0):
        gr.HTML(translated(_head), apply_default_css=False, elem_id="pane-head")
        return SourcesPane(
            sources=gr.HTML(panel.sources_html([]), elem_id="sources", js_on_load=scripts.PANEL_JS),
            preview=gr.HTML("", elem_id="preview", js_on_load=scripts.PREVIEW_JS),
        )


def _head(words: Strings) -> str:
    return (
        f'<div class="sp-pane-head"><h2 class="sp-title">{words.sources}</h2>'
        f'<button type="button" data-close-pane aria-label="{words.close_sources}">&times;</button></div>'
    )
