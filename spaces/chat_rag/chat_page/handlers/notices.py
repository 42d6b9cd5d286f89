"""Warnings and refusals, which the page shows in a corner for some seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import gradio as gr

from backends import SpaceportError
from chat_page.translations.errors import error_text
from rag.errors import RagError
from ui.middleware.refusals import Refusal


def warn(problem: SpaceportError | str) -> None:
    """Show what can't be done, and why. The word above it is Gradio's, which toasts.js translates."""
    gr.Warning(problem if isinstance(problem, str) else error_text(problem))


@contextlib.contextmanager
def refuse_unreadable() -> Iterator[None]:
    """End the event with the reason if what a visitor has stored can't be read."""
    try:
        yield
    except RagError as error:
        raise Refusal(error_text(error)) from error
