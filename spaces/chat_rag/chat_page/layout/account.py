"""The button to sign in with Hugging Face, below the documents in the sidebar; on a Space with `hf_oauth: true`."""

from __future__ import annotations

import json
from dataclasses import dataclass

import gradio as gr

from chat_page.scripts import read_asset
from chat_page.strings import ENGLISH
from chat_page.translations.languages import LANGUAGES
from ui.sign_in import settings


@dataclass(frozen=True, slots=True)
class Account:
    """The button, and the note below it."""

    button: gr.Button
    note: gr.HTML


def build_account() -> Account | None:
    """Build the button inside the current block; None where visitors can't sign in."""
    if not settings.is_enabled():
        return None
    texts = ENGLISH.sign_in, ENGLISH.sign_out.format(name="{}")
    return Account(gr.LoginButton(*texts, size="sm", elem_id="sign-in"), gr.HTML("", elem_id="account"))


def adapt_sign_in(page: gr.Blocks) -> None:
    """Adapt the events of Gradio's button to a page in five languages, once all of the page is built.

    Its click compares the button's text with the English one. Its other event isn't part of the page's API, of which
    Gradio makes it a call and an MCP tool.
    """
    script = read_asset("layout/sign_in.js")
    texts = json.dumps([words.sign_in for words in LANGUAGES.values()])
    for event in page.fns.values():
        if event.name == "_check_login_status":
            event.api_visibility = "private"
        elif isinstance(event.js, str) and "/login/huggingface" in event.js:
            event.js = script.replace("SIGN_IN", texts)
