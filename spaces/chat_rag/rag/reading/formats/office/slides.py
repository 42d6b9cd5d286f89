"""Reads PPTX presentations: a page for each slide, with its tables and the speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.documents import Content, Limits, NoteKind
from rag.reading.formats.names_note import names_note
from rag.reading.formats.office.archive import PRESENTATION, OtherParts, checked_parts, packed, parse_xml
from rag.reading.formats.office.charts import add_chart
from rag.reading.formats.office.diagrams import diagram_text, drawn_text
from rag.reading.formats.office.relations import RELATIONSHIPS, embedded_names
from rag.reading.formats.office.white_slides import is_white, remove_white_runs
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.superscripts import mark_superscript
from rag.reading.ocr.inner_pictures import InnerPictures

_FIELD = "{http://schemas.openxmlformats.org/drawingml/2006/main}fld"
_MAX_SPAN = 100
_MAX_DEPTH = 50
_TITLES = ("title", "ctrTitle")
_NUMBER, _FURNITURE = "sldNum", ("dt", "ftr")  # the number, and what each slide repeats: the date and the footer


def read_slides(data: bytes, name: str, limits: Limits) -> Content:
    """Return a page for each slide: its title as a heading, its texts, its tables, then the notes."""
    import pptx

    parts = checked_parts(data, name, limits, PRESENTATION)
    presentation = pptx.Presentation(packed(parts))
    writer = ContentWriter(name, limits)
    hidden, embedded, furniture, other_parts = list[str](), list[str](), dict[str, None](), OtherParts(data)
    with InnerPictures(writer, name, limits) as pictures:
        for number, slide in enumerate(presentation.slides, 1):
            writer.add_page()
            if slide.element.get("show") in ("0", "false"):
                hidden.append(str(number))
                continue
            embedded += embedded_names(parts, str(slide.part.partname).lstrip("/"))
            is_white_slide = is_white(slide)
            for shape in _shapes(slide.shapes):
                if _is_outside(shape, presentation):
                    has_text = shape.has_text_frame and bool(shape.text_frame.text.strip())
                    writer.note_hidden(has_text or getattr(shape, "has_table", False))
                    continue
                if is_white_slide and shape.has_text_frame:
                    writer.note_hidden(remove_white_runs(shape.text_frame))
                if _placeholder(shape) in _FURNITURE:
                    furniture.setdefault(_fixed_text(shape))
                else:
                    _add_shape(writer, shape)
                for part in _picture_parts(shape):
                    pictures.add(other_parts.unpack(part))
            frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
            if frame is not None and frame.text.strip():
                writer.add_block(f"Notes: {_text(frame)}")
            for comment in _comments(slide):
                writer.add_block(f"Comment: {comment}" if comment else "")
    for text in furniture:
        writer.add_block(text)
    if embedded:
        writer.notes.append(names_note(NoteKind.UNREAD_ATTACHMENTS, embedded))
    if hidden:
        writer.notes.append(names_note(NoteKind.HIDDEN_SLIDES, hidden, len(hidden)))
    return writer.content()


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the visible shapes, those of groups too, the title first."""
    found = sorted(shapes, key=lambda shape: _placeholder(shape) not in _TITLES)
    for shape in found:
        properties = next(shape.element.iter("{*}cNvPr"), None)
        if properties is not None and properties.get("hidden") in ("1", "true"):
            continue
        if hasattr(shape, "shapes"):
            if depth < _MAX_DEPTH:
                yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _is_outside(shape: Any, presentation: Any) -> bool:
    """Return whether a shape is beside the slide; in a group, or without a place of its own, it can't be known."""
    places = shape.left, shape.top, shape.width, shape.height
    if None in places or shape.element.getparent().tag.endswith("}grpSp"):
        return False
    left, top, width, height = places
    is_beside: bool = left + width <= 0 or left >= presentation.slide_width
    is_above_or_below: bool = top + height <= 0 or top >= presentation.slide_height
    return is_beside or is_above_or_below


def _placeholder(shape: Any) -> str:
    place = next(shape.element.iter("{*}ph"), None) if shape.is_placeholder else None
    return place.get("type", "body") if place is not None else ""


def _add_shape(writer: ContentWriter, shape: Any) -> None:
    kind = _placeholder(shape)
    if kind == _NUMBER:
        return
    if getattr(shape, "has_table", False):
        writer.add_table(list(_cells(shape.table)))
    elif getattr(shape, "has_chart", False):
        add_chart(writer, shape.chart._chartSpace)
    elif (part := _diagram_part(shape)) is not None:
        writer.add_block(diagram_text(parse_xml(part.blob)))
    elif shape.has_text_frame:
        text = _text(shape.text_frame)
        writer.add_block(f"# {' '.join(text.split())}" if kind in _TITLES and text else text)


def _comments(slide: Any) -> Iterator[str]:
    """Yield the comments on a slide, each before the replies to it."""
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/comments") and not relation.is_external:
            # A new comment's replies are stored before its own text.
            for comment in parse_xml(relation.target_part.blob).iter("{*}cm", "{*}reply"):
                yield " ".join(comment.findtext("{*}text", "").split())
                yield from map(drawn_text, comment.iterchildren("{*}txBody"))


def _diagram_part(shape: Any) -> Any:
    """Return the part with the texts of a diagram, or None for another shape."""
    identifiers = next(shape.element.iter("{*}relIds"), None)
    relation = shape.part.rels.get(identifiers.get(f"{RELATIONSHIPS}dm")) if identifiers is not None else None
    return None if relation is None or relation.is_external else relation.target_part


def _picture_parts(shape: Any) -> Iterator[str]:
    """Yield the parts with the pictures of a shape; a shape can be filled with one."""
    for picture in shape.element.iter("{*}blip"):
        relation = shape.part.rels.get(picture.get(f"{RELATIONSHIPS}embed"))
        if relation is not None and not relation.is_external:
            yield str(relation.target_part.partname).lstrip("/")


def _fixed_text(shape: Any) -> str:
    """Return a date or a footer without what is filled in when the slide is shown."""
    for field in list(shape.element.iter(_FIELD)):
        field.getparent().remove(field)
    return _text(shape.text_frame) if shape.has_text_frame else ""


def _text(frame: Any) -> str:
    """Return the paragraphs, one line each; a vertical tab is a line break."""
    lines = (_paragraph(paragraph).replace("\v", "\n").strip() for paragraph in frame.paragraphs)
    return "\n".join(filter(None, lines))


def _paragraph(paragraph: Any) -> str:
    """Return a paragraph's text; runs above the line are exponents or numbers of notes."""
    for run in paragraph.runs:
        if int(run._r.rPr.get("baseline", "0") if run._r.rPr is not None else "0") > 0:
            run.text = mark_superscript(run.text)
    return str(paragraph.text)


def _cells(table: Any) -> Iterator[GridCell]:
    for row_number, row in enumerate(table.rows):
        for column, cell in enumerate(row.cells):
            if not cell.is_spanned:
                yield GridCell(
                    row_number,
                    column,
                    _text(cell.text_frame),
                    min(cell.span_height, _MAX_SPAN),
                    min(cell.span_width, _MAX_SPAN),
                    header=row_number == 0 and table.first_row,
                )
