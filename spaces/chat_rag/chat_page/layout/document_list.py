"""The visitor's documents, below the conversations in the sidebar."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from chat_page import scripts
from chat_page.translations.labels import label, translated
from rag.reading.archives.listing import ARCHIVE_SUFFIX
from rag.reading.parse import SUFFIXES
from rag.reading.web.fetch import urls_allowed

FILE_TYPES = [*SUFFIXES, ARCHIVE_SUFFIX]


@dataclass(frozen=True, slots=True)
class DocumentList:
    """The drop zone, the address of a web page, the list, and whether the sample documents are searched."""

    files: gr.File
    address: gr.Textbox
    documents: gr.HTML
    samples: gr.Checkbox


def build_document_list() -> DocumentList:
    """Build the list inside the current block."""
    gr.HTML(translated(lambda words: f'<h2 class="sp-title">{words.documents}</h2>'))
    return DocumentList(
        files=gr.File(
            show_label=False, file_count="multiple", file_types=FILE_TYPES, height=56, elem_id="drop",
        ),
        address=gr.Textbox(
            label=label("web_page"), show_label=False, placeholder=label("web_page"), max_lines=1,
            visible=urls_allowed(), elem_id="address",
        ),
        documents=gr.HTML("", elem_id="documents", js_on_load=scripts.DOCUMENTS_JS),
        samples=gr.Checkbox(True, label=label("samples"), elem_id="samples", container=False),
    )  # fmt: skip
