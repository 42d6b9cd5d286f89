"""The page's style sheet and scripts, from the files in this folder."""

from __future__ import annotations

import json
from pathlib import Path

from chat_page.strings import ENGLISH

_FOLDER = Path(__file__).parent


def read_asset(name: str) -> str:
    """Return the text of a file in this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")


CSS = read_asset("panel.css")
PANEL_JS = read_asset("panel.js")
DOCUMENTS_JS = read_asset("documents.js")
COPY_LINK_JS = read_asset("copy_link.js")
READ_LINK_JS = read_asset("read_link.js")
# For the hidden HTML component with elem_id "preview", whose value comes from `panel.preview_value`.
PREVIEW_JS = 'watch("value", () => document.dispatchEvent(new Event("sp-preview")));'
CONFIRM_JS = f"(key) => confirm({json.dumps(ENGLISH.confirm_delete)}) ? key : ''"
