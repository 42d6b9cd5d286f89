"""The page's style sheet and scripts, from the files of this package."""

from __future__ import annotations

import json
from pathlib import Path

from chat_page.translations.languages import LANGUAGES
from ui.static.scripts import key_js

_FOLDER = Path(__file__).parent


def read_asset(name: str) -> str:
    """Return the text of a file by its path in this package."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def _css(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


CSS = read_asset("sources/panel.css")
# Not in `CSS`: Gradio limits the rules of a media query to what is inside of its container.
_WORDS = "".join(
    f":root{'' if language == 'en' else f':lang({language})'} {{ --sp-drop-words: {_css(words.drop_here)};"
    f" --sp-what-next: {_css(words.what_next)}; --sp-warning: {_css(words.warning)}; --sp-info: {_css(words.info)};"
    f" --sp-error: {_css(words.error)};"
    f" --sp-cited-begins: {_css(words.cited_begins)}; --sp-cited-ends: {_css(words.cited_ends)}; }}"
    for language, words in LANGUAGES.items()
)
_PAGE_JS = "".join(read_asset(f"layout/{name}.js") for name in ("draft", "toasts", "page"))
HEAD = f"<style>{_WORDS}{read_asset('layout/page.css')}</style><script>{_PAGE_JS}</script>"
PANEL_JS = read_asset("sources/panel.js")
DOCUMENTS_JS = read_asset("layout/documents.js")
CHAT_LIST_JS = read_asset("conversations/chat_list.js")
# The inputs of the page's first event: the key, and the conversation that was in this tab before a reload.
TAB_JS = f"(key, tab) => [...({key_js()})(key), sessionStorage.getItem('spaceport-conversation') ?? '']"
SHARED_JS = "(choice) => sharedChoice(choice)"  # page.js remembers the choice for this tab
COPY_LINK_JS = read_asset("sharing/copy_link.js")
READ_LINK_JS = read_asset("sharing/read_link.js")
# For the hidden HTML component with elem_id "preview", whose value comes from `sources.panel.preview_value`.
PREVIEW_JS = 'watch("value", () => document.dispatchEvent(new Event("sp-preview")));'
_CONFIRM = json.dumps({language: words.confirm_delete for language, words in LANGUAGES.items()})
_ASK = f"confirm((texts => texts[document.documentElement.lang] ?? texts.en)({_CONFIRM}))"
CONFIRM_JS = f"(key) => {_ASK} ? (dropDrafts(), key) : ''"
