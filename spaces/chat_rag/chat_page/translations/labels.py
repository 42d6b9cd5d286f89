"""The words that are on the page from the start; the browser translates them with the tables made here."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

import gradio as gr

from chat_page.strings import Strings
from chat_page.translations.languages import LANGUAGES

# For `launch`: the page gets only the strings that components use.
TRANSLATIONS = gr.I18n(**{language: {} for language in LANGUAGES})


def label(name: str) -> str:
    """Return what stands for a string in a component until the browser translates it; `name` is that of its field."""
    return translated(attrgetter(name))


def translated(text: Callable[[Strings], str]) -> str:
    """Return what stands for a text that is made of several strings, such as HTML.

    Gradio translates only one such text in a property.
    """
    key = f"chat-page-{len(TRANSLATIONS.translations['en'])}"
    for language, words in LANGUAGES.items():
        TRANSLATIONS.translations[language][key] = text(words)
    return str(TRANSLATIONS(key))
