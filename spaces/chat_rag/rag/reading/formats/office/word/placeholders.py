"""Fields of Word files that nobody filled in: their prompts, such as "Click or tap here", aren't text of the author."""

from __future__ import annotations

from typing import Any

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.word.document_xml import W, is_on, value_of

_STYLE_NAME = "placeholder text"
_GLOSSARY = "word/glossary/document.xml"


def remove_placeholders(root: Any, styles: Any, parts: dict[str, bytes]) -> int:
    """Remove the prompts of content controls without a value; return how many there were."""
    names = {"PlaceholderText"}  # Word translates the identifiers of its styles, but not their names
    for style in styles.iter(f"{W}style") if styles is not None else ():
        if value_of(style.find(f"{W}name")).lower() == _STYLE_NAME:
            names.add(style.get(f"{W}styleId", ""))
    prompts = _prompts(parts)
    return sum(_remove_prompt(control, names, prompts) for control in list(root.iter(f"{W}sdt")))


def _prompts(parts: dict[str, bytes]) -> dict[str, str]:
    """Return the file's prompts by the names that its controls have for them."""
    if not parts.get(_GLOSSARY):
        return {}
    prompts = parse_xml(parts[_GLOSSARY]).iter(f"{W}docPart")
    return {value_of(prompt.find(f"{W}docPartPr/{W}name")): _text(prompt) for prompt in prompts}


def _remove_prompt(control: Any, styles: set[str], prompts: dict[str, str]) -> bool:
    """Remove a control's prompt if it shows one, but not its cells.

    Beside a prompt in the style of prompts, another text was written by a program, and so was one that differs from the
    prompt that the file has for the control. Else all is the prompt.
    """
    content = control.find(f"{W}sdtContent")
    if content is None or not is_on(control.find(f"{W}sdtPr/{W}showingPlcHdr")):
        return False
    runs = list(content.iter(f"{W}r"))
    styled = [run for run in runs if value_of(run.find(f"{W}rPr/{W}rStyle")) in styles]
    prompt = prompts.get(value_of(control.find(f"{W}sdtPr/{W}placeholder/{W}docPart")), "")
    if not styled and prompt and prompt != _text(content):
        return False
    has_text = any(_text(run) for run in styled or runs)
    for run in styled or runs:
        run.getparent().remove(run)
    return has_text


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext(f"{W}t")).split())
