"""Sections of a page that are closed at first."""

from __future__ import annotations

import gradio as gr

# Gradio creates the fields of `open=False` when a visitor opens it, and then puts back their initial values, up to
# a second after they appear (6.31): a value that was typed until then is lost. It takes 0 as closed, and creates them
# with the page.
CLOSED = 0


def closed_section(label: str, *, visible: bool = True) -> gr.Accordion:
    """Create a closed section whose fields keep what is typed as soon as it's opened."""
    return gr.Accordion(label, open=CLOSED, visible=visible)  # type: ignore[arg-type]
