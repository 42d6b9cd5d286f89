"""Writes the formulas of an HTML page (MathML) as LaTeX: what their author typed, or their parts."""

from __future__ import annotations

from typing import Any

_PATTERNS = {  # by the name of an element and how many parts it has
    ("msup", 2): "{}^{{{}}}",
    ("msub", 2): "{}_{{{}}}",
    ("mover", 2): "{}^{{{}}}",
    ("munder", 2): "{}_{{{}}}",
    ("msubsup", 3): "{}_{{{}}}^{{{}}}",
    ("munderover", 3): "{}_{{{}}}^{{{}}}",
    ("mfrac", 2): "\\frac{{{}}}{{{}}}",
    ("mroot", 2): "\\sqrt[{1}]{{{0}}}",
}
_NOT_SHOWN = ("annotation", "annotation-xml")


def write_formulas(root: Any) -> None:
    """Replace each formula of a page by its text."""
    for formula in list(root.iter("math")):
        text = formula.get("alttext") or _typed(formula) or _written(formula)
        formula.clear(keep_tail=True)
        formula.tag, formula.text = "span", f"${' '.join(text.split())}$" if text.strip() else ""


def _typed(formula: Any) -> str:
    """Return the LaTeX that a formula was made from, or ""."""
    found = (note.text or "" for note in formula.iter("annotation") if "tex" in note.get("encoding", "").lower())
    return next(found, "")


def _written(element: Any) -> str:
    parts = [_written(child) for child in element if isinstance(child.tag, str) and child.tag not in _NOT_SHOWN]
    if pattern := _PATTERNS.get((element.tag, len(parts))):
        return pattern.format(*parts)
    text = (element.text or "").strip() + "".join(parts)
    if element.tag == "msqrt":
        return f"\\sqrt{{{text}}}"
    return f"{text} " if element.tag in ("mtd", "mtr") else text
