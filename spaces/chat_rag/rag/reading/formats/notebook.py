"""Reads Jupyter notebooks."""

from __future__ import annotations

import base64
import json
from typing import Any

from rag.documents import Content, Limits
from rag.errors import DocumentError
from rag.reading.formats.html.markdown import add_html
from rag.reading.formats.text.decode import decode
from rag.reading.formats.text.plain import TERMINAL
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.find_tables import find_markdown_tables
from rag.reading.ocr.inner_pictures import InnerPictures

_PICTURES = ("image/png", "image/jpeg")


def read_notebook(data: bytes, name: str, limits: Limits) -> Content:
    """Return a notebook's cells in their order, as Markdown: code in fences, each followed by what it has printed."""
    writer = ContentWriter(name, limits)
    try:
        notebook = json.loads(decode(data, name))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        with InnerPictures(writer, name, limits) as pictures:
            for cell in cells:
                _add_cell(writer, cell, pictures)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise DocumentError(f"“{name}” isn't a valid notebook.", "Save it again in Jupyter, and upload it.") from error
    return writer.content()


def _add_cell(writer: ContentWriter, cell: dict[str, Any], pictures: InnerPictures) -> None:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") != "code":
        writer.add_content(Content(source.strip("\n"), tables=find_markdown_tables(source.strip("\n"))))
        return
    writer.add_block(_fenced(source))
    for output in cell.get("outputs", []):
        values = output.get("data", {})
        html = _joined(values.get("text/html", ""))
        if "<table" in html:
            writer.note_hidden(add_html(writer, html))
        else:
            writer.add_block(_fenced(TERMINAL.sub("", _output_text(output))))
        for kind in _PICTURES:
            if picture := values.get(kind):
                pictures.add(base64.b64decode(_joined(picture)))


def _output_text(output: dict[str, Any]) -> str:
    if "text" in output:
        return _joined(output["text"])
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    values = output.get("data", {})
    text = _joined(values.get("text/plain", ""))
    is_name = text.startswith("<") and any(kind in values for kind in _PICTURES)  # <Figure size 640x480 with 1 Axes>
    return "" if is_name else text


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _fenced(text: str) -> str:
    if not text.strip():
        return ""
    fence = "```"
    while fence in text:
        fence += "`"
    end = "" if text.endswith("\n") else "\n"
    return f"{fence}\n{text}{end}{fence}"
