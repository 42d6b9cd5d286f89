"""Lists of terms and their descriptions in HTML: each paragraph of a description names its term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_LONGEST_TERM = 80  # characters; a longer one, such as a question, stands above its description only
_SHORTEST = 20  # characters of a paragraph, after the first one, that names its term too
_LINK_MARKS = "#¶§\u200b "
_BLOCKS = ("p", "div", "ul", "ol", "dl", "table", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6")
_ENDS = (":", ".", "?", "!")


def name_terms(root: Any) -> None:
    """Put the term of each description in front of its paragraphs, so that each of them is understood by itself."""
    for listed in list(root.iter("dl")):
        for group in (listed, *listed.findall("div")):
            _name_in_group(group)


def _name_in_group(group: Any) -> None:
    terms: list[Any] = []
    is_described = False
    for child in group:
        if child.tag == "dt":
            terms = [child] if is_described else [*terms, child]
            is_described = False
        elif child.tag == "dd" and terms:
            if not is_described:
                name = _name(terms)
            if name:
                _describe(name, child)
            is_described = True


def _name(terms: Sequence[Any]) -> str:
    """Return the name of terms, which no longer stand above their description, or "" if it's too long."""
    texts = [" ".join("".join(term.itertext()).split()).rstrip(_LINK_MARKS) for term in terms]
    name = ", ".join(filter(None, texts))
    if not name or len(name) > _LONGEST_TERM:
        return ""
    for term in terms:
        term.clear(keep_tail=True)
        term.tag = "span"
    return f"{name} " if name.endswith(_ENDS) else f"{name}: "


def _describe(name: str, description: Any) -> None:
    """Put a term in front of the first words of its description, and of its other paragraphs."""
    description.tag = "div"
    paragraphs = list(_paragraphs(description))
    if not paragraphs or _text_before(description, paragraphs[0]):
        description.text = name + (description.text or "").lstrip()
        first = None
    else:
        first = paragraphs[0]
    for paragraph in paragraphs:
        if paragraph is first or len("".join(paragraph.itertext()).strip()) >= _SHORTEST:
            paragraph.text = name + (paragraph.text or "").lstrip()


def _paragraphs(description: Any) -> Iterator[Any]:
    """Yield the paragraphs of a description; some generators write them as <div>, or inside of one."""
    for child in description:
        if child.tag == "p" or (child.tag == "div" and _has_own_text(child)):
            yield child
        elif child.tag == "div":
            yield from child.findall("p")


def _has_own_text(block: Any) -> bool:
    return bool((block.text or "").strip()) or (len(block) > 0 and block[0].tag not in _BLOCKS)


def _text_before(description: Any, paragraph: Any) -> bool:
    """Return whether a description begins with something else than its first paragraph."""
    if (description.text or "").strip():
        return True
    first = description[0]
    return first is not paragraph and (first.tag != "div" or len(first) == 0 or first[0] is not paragraph)
