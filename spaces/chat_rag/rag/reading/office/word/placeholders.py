"""Fields of Word files that nobody filled in: their prompts, such as "Click or tap here", are no text of the author."""

from __future__ import annotations

from typing import Any

from rag.reading.office.word.document_xml import W, is_on, value_of

_STYLE_NAME = "placeholder text"


def remove_placeholders(root: Any, styles: Any) -> int:
    """Remove the prompts of content controls without a value; return how many there were."""
    names = {"PlaceholderText"}  # Word translates the identifiers of its styles, but not their names
    for style in styles.iter(f"{W}style") if styles is not None else ():
        if value_of(style.find(f"{W}name")).lower() == _STYLE_NAME:
            names.add(style.get(f"{W}styleId", ""))
    return sum(_remove_prompt(control, names) for control in list(root.iter(f"{W}sdt")))


def _remove_prompt(control: Any, styles: set[str]) -> bool:
    """Remove a control's prompt if it shows one, but not its cells.

    Beside a prompt in the style of prompts, another text was written by a program. Without one, all is the prompt.
    """
    content = control.find(f"{W}sdtContent")
    if content is None or not is_on(control.find(f"{W}sdtPr/{W}showingPlcHdr")):
        return False
    runs = list(content.iter(f"{W}r"))
    prompts = [run for run in runs if value_of(run.find(f"{W}rPr/{W}rStyle")) in styles]
    texts = ["".join(run.itertext(f"{W}t")) for run in prompts or runs]
    for run in prompts or runs:
        run.getparent().remove(run)
    return bool("".join(texts).strip())
