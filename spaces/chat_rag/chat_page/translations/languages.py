"""The languages of the page, and the strings for the page whose event is running.

The server writes what a page shows in the language of the request: HTML, Markdown, warnings. What stands on the page
from the start is translated in the browser; see `labels.py`. Both choose as Gradio does for its own words: by the
browser's first language alone.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from chat_page.strings import ENGLISH, Strings
from ui import languages


def _read(language: str) -> Strings:
    text = Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8")
    return Strings(**tomllib.loads(text))


# By the names that Gradio gives its own translations; without one, a page is in English.
LANGUAGES = {"en": ENGLISH, **{language: _read(language) for language in ("de", "es", "fr", "zh-CN")}}
# By the names of `rag.search.languages`.
_BY_NAME = {"english": "en", "german": "de", "spanish": "es", "french": "fr", "chinese": "zh-CN"}
# The examples are questions to the sample documents, which are in English: the default embedding model knows no other
# language to ask them in. Only programs name an unknown target.
ENGLISH_ONLY = frozenset({"examples", "unknown_target", "unknown_target_remedy"})


def strings() -> Strings:
    """Return the strings for the page whose event is running, or English outside of an event."""
    from gradio.context import LocalContext  # seconds at the start of a program that has no page

    request = LocalContext.request.get(None)
    return LANGUAGES[choose_language(request.headers.get("accept-language") or "" if request else "")]


def language_code(words: Strings) -> str:
    """Return the language of these strings as HTML names it."""
    return next(language for language, each in LANGUAGES.items() if each is words)


def strings_of(name: str) -> Strings:
    """Return the strings of a language by its English name, or those of the page if there are none."""
    return LANGUAGES[_BY_NAME[name]] if name in _BY_NAME else strings()


def language_name(name: str, words: Strings) -> str:
    """Return the name of a language, which is given in English, in another one if that has it."""
    names = {
        ENGLISH.english: words.english,
        ENGLISH.german: words.german,
        ENGLISH.spanish: words.spanish,
        ENGLISH.french: words.french,
        ENGLISH.chinese: words.chinese,
    }
    return names.get(name, name)


@lru_cache(100)
def choose_language(accepted: str) -> str:
    """Return the key of `LANGUAGES` for an Accept-Language header, such as "de-AT,de;q=0.9,en;q=0.8"."""
    return languages.choose_language(accepted, LANGUAGES)
