"""White words on a white slide, which nobody can see."""

from __future__ import annotations

from typing import Any

from rag.reading.formats.office.archive import parse_xml

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDE = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_FILLS = tuple(f"{_DRAWING}{name}" for name in ("solidFill", "gradFill", "blipFill", "pattFill", "grpFill"))
_BACKGROUND = ("bg1", "lt1")  # the theme's color of slides
_OUTLINES = ("ln", "highlight", "effectLst")  # what makes white letters visible


def is_white(slide: Any) -> bool:
    """Return whether a slide is white and nothing on it, or on its layout and master, can be behind its words."""
    layers = slide, slide.slide_layout, slide.slide_layout.slide_master
    backgrounds = (layer.element.find(f"{_SLIDE}cSld/{_SLIDE}bg") for layer in layers)
    background = next((found for found in backgrounds if found is not None), None)
    white = _has_white_theme(layers[-1])
    if background is not None and not all(_is_white(color, white) for color in _colors(background)):
        return False
    return white and not any(_has_surface(layer.element) for layer in layers)


def remove_white_runs(frame: Any) -> int:
    """Remove the white words of a text frame on a white slide; return how many runs had some."""
    removed = 0
    for run in (run for paragraph in frame.paragraphs for run in paragraph.runs):
        properties = run._r.rPr
        fill = properties.find(f"{_DRAWING}solidFill") if properties is not None else None
        if fill is None or any(properties.find(f"{_DRAWING}{name}") is not None for name in _OUTLINES):
            continue
        if all(_is_white(color, True) for color in fill):
            removed += bool(run.text.strip())
            run.text = ""
    return removed


def _colors(background: Any) -> list[Any]:
    """Return the colors of a background; a picture or a gradient counts as one that isn't white."""
    surface = background[0]
    if surface.tag == f"{_SLIDE}bgRef":
        return list(surface) if surface.get("idx") == "1001" else [surface]
    fill = surface.find(f"{_DRAWING}solidFill")
    return list(fill) if fill is not None else [surface]


def _is_white(color: Any, white_theme: bool) -> bool:
    if len(color):  # it is made darker or lighter
        return False
    value = str(color.get("val", ""))
    if color.tag == f"{_DRAWING}schemeClr":
        return white_theme and value in _BACKGROUND
    return bool(color.tag == f"{_DRAWING}srgbClr" and value.upper() == "FFFFFF")


def _has_white_theme(master: Any) -> bool:
    """Return whether the theme's color of slides is white, and the master's slides have it."""
    colors = master.element.find(f"{_SLIDE}clrMap")
    if colors is None or colors.get("bg1") != "lt1":
        return False
    theme = next((relation.target_part for relation in master.part.rels.values() if "/theme" in relation.reltype), None)
    light = parse_xml(theme.blob).find(f".//{_DRAWING}lt1") if theme is not None else None
    return light is not None and any(color.get("lastClr", color.get("val")) == "FFFFFF" for color in light)


def _has_surface(element: Any) -> bool:
    """Return whether a slide has a picture, a table, or a shape with a fill."""
    if any(True for _ in element.iter(f"{_SLIDE}pic", f"{_SLIDE}graphicFrame", f"{_SLIDE}style")):
        return True
    return any(part.tag in _FILLS for shape in element.iter(f"{_SLIDE}spPr", f"{_SLIDE}grpSpPr") for part in shape)
