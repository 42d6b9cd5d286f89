"""The page's style sheet and scripts, from the files of this package."""

from __future__ import annotations

import json
from pathlib import Path

from chat_page.strings import ENGLISH
from ui.scripts import key_js

_FOLDER = Path(__file__).parent


def read_asset(name: str) -> str:
    """Return the text of a file by its path in this package."""
    return (_FOLDER / name).read_text(encoding="utf-8")


CSS = read_asset("sources/panel.css")
# Not in `CSS`: Gradio limits the rules of a media query to what is inside of its container.
_WORDS = f":root {{ --sp-drop-words: {json.dumps(ENGLISH.drop_here)}; }}"
HEAD = f"<style>{_WORDS}{read_asset('layout/page.css')}</style><script>{read_asset('layout/page.js')}</script>"
PANEL_JS = read_asset("sources/panel.js")
DOCUMENTS_JS = read_asset("documents.js")
CHAT_LIST_JS = read_asset("conversations/chat_list.js")
# The inputs of the page's first event: the key, and the conversation that was in this tab before a reload.
TAB_JS = f"(key, tab) => [...({key_js()})(key), sessionStorage.getItem('spaceport-conversation') ?? '']"
COPY_LINK_JS = read_asset("sharing/copy_link.js")
READ_LINK_JS = read_asset("sharing/read_link.js")
# For the hidden HTML component with elem_id "preview", whose value comes from `sources.panel.preview_value`.
PREVIEW_JS = 'watch("value", () => document.dispatchEvent(new Event("sp-preview")));'
CONFIRM_JS = f"(key) => confirm({json.dumps(ENGLISH.confirm_delete)}) ? key : ''"
