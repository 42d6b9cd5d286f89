"""Writes the formulas of a Word file as LaTeX."""

from __future__ import annotations

from typing import Any

from rag.reading.formats.office.word.document_xml import W

MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_M = f"{{{MATH}}}"
# markitdown's converter fails without their properties, which are optional.
_WITH_PROPERTIES = ("acc", "bar", "d", "f", "groupChr", "m", "nary")


def write_formulas(root: Any) -> None:
    """Replace each formula by its LaTeX between dollar signs.

    markitdown does this too, but leaves out all formulas of a file if one of them is unusual.
    """
    from lxml import etree

    for kind in _WITH_PROPERTIES:
        for element in root.iter(f"{_M}{kind}"):
            if element.find(f"{_M}{kind}Pr") is None:
                element.insert(0, etree.Element(f"{_M}{kind}Pr"))
    for formula in list(root.iter(f"{_M}oMath")):
        run = etree.Element(f"{W}r")
        etree.SubElement(run, f"{W}t").text = f"${_latex(formula)}$"
        formula.getparent().replace(formula, run)
    for block in root.iter(f"{_M}oMathPara"):
        block.tag = f"{W}smartTag" if block.getparent().tag == f"{W}p" else f"{W}p"


def _latex(formula: Any) -> str:
    from markitdown.converter_utils.docx.math.omml import oMath2Latex

    try:
        return str(oMath2Latex(formula).latex).strip()  # type: ignore[no-untyped-call]  # it has no annotations
    except Exception:  # markitdown's converter doesn't know all elements, and has no error of its own
        return " ".join(text.text or "" for text in formula.iter(f"{_M}t"))
