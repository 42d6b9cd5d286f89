"""Reads text files: plain text, XML and notebooks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from rag.documents import Content, Limits
from rag.errors import DocumentError
from rag.reading.decode import declared_encoding, decode, decode_with_notes
from rag.reading.markdown_tables import find_markdown_tables


def read_text(data: bytes, name: str, limits: Limits) -> Content:
    """Return the characters of a text file."""
    text, notes = decode_with_notes(data, name)
    return Content(text, notes=notes)


def read_markdown(data: bytes, name: str, limits: Limits) -> Content:
    """Return the characters of a Markdown file, and its tables."""
    content = read_text(data, name, limits)
    return replace(content, tables=find_markdown_tables(content.text))


def read_xml(data: bytes, name: str, limits: Limits) -> Content:
    """Return an XML file as it is, in the encoding that it declares; its tags are the names of its values."""
    text, notes = decode_with_notes(data, name, declared=declared_encoding(data))
    return Content(text, notes=notes)


def read_notebook(data: bytes, name: str, limits: Limits) -> Content:
    """Return a notebook's cells in their order, as Markdown: code in fences, each followed by its text output."""
    try:
        notebook = json.loads(decode(data, name))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        parts = [part for cell in cells for part in _cell_parts(cell)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise DocumentError(f"“{name}” isn't a valid notebook.", "Save it again in Jupyter, and upload it.") from error
    return Content("\n\n".join(part for part in parts if part.strip()))


def _cell_parts(cell: dict[str, Any]) -> list[str]:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") != "code":
        return [source]
    outputs = [_output_text(output) for output in cell.get("outputs", [])]
    return [_fenced(text) for text in (source, *outputs) if text.strip()]


def _output_text(output: dict[str, Any]) -> str:
    if "text" in output:
        return _joined(output["text"])
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    return _joined(output.get("data", {}).get("text/plain", ""))


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    end = "" if text.endswith("\n") else "\n"
    return f"{fence}\n{text}{end}{fence}"
