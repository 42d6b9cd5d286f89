"""The visitor's documents, below the conversations in the sidebar."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The drop zone, the address of a web page, the list, and which shared libraries are searched."""

    files: gr.File
    address: gr.Textbox
    documents: gr.HTML
    samples: gr.Checkbox | gr.CheckboxGroup


def build_document_list(libraries: Sequence[str]) -> DocumentList:
    """Build the list inside the current block, with a checkbox for each library, or one for the samples."""
    gr.HTML(translated(lambda words: f'<h2 class="sp-title">{words.documents}</h2>'))
    return DocumentList(
        files=gr.File(
            show_label=False, file_count="multiple", file_types=FILE_TYPES, height=56, elem_id="drop",
        ),
        address=gr.Textbox(
            label=label("web_page"), show_label=False, placeholder=label("web_page"), max_lines=1,
            visible=urls_allowed(), elem_id="address",
        ),
        documents=gr.HTML("", elem_id="documents", js_on_load=scripts.DOCUMENTS_JS, apply_default_css=False),
        samples=_shared_libraries(libraries),
    )  # fmt: skip


def _shared_libraries(titles: Sequence[str]) -> gr.Checkbox | gr.CheckboxGroup:
    if not titles:
        return gr.Checkbox(True, label=label("samples"), elem_id="samples", container=False)
    return gr.CheckboxGroup(
        list(titles), value=list(titles), label=label("documents"), show_label=False, elem_id="samples", container=False
    )
