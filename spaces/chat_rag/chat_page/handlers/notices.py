"""Warnings, which the page shows in a corner for some seconds."""

from __future__ import annotations

import gradio as gr

from backends import SpaceportError
from chat_page.translations.errors import error_text


def warn(problem: SpaceportError | str) -> None:
    """Show what can't be done, and why. The word above it is Gradio's, in English: 6.31 shows no other title."""
    gr.Warning(problem if isinstance(problem, str) else error_text(problem))
