"""The button to sign in with Hugging Face, below the documents in the sidebar; on a Space with `hf_oauth: true`."""

from __future__ import annotations

import gradio as gr

from chat_page.strings import ENGLISH
from ui.sign_in import settings


def build_account() -> gr.HTML | None:
    """Build the button inside the current block, and return the note below it; None where visitors can't sign in."""
    if not settings.is_enabled():
        return None
    gr.LoginButton(ENGLISH.sign_in, ENGLISH.sign_out.format(name="{}"), size="sm", elem_id="sign-in")
    return gr.HTML("", elem_id="account")


def hide_from_api(page: gr.Blocks) -> None:
    """Keep the button's own event out of the page's API, of which Gradio makes it a call and an MCP tool."""
    for event in page.fns.values():
        if event.name == "_check_login_status":
            event.api_visibility = "private"
