"""Reduces a page to what its reader sees: no hidden text and menus, but the values of form fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|(font-size|opacity)\s*:\s*0(?![.\d])"
    r"|(left|top|text-indent)\s*:\s*-\d{4}",
    re.I,
)
_MAX_FRAMES = 3  # frames inside frames
_BRACES = re.compile(r"([{}])")
_SELECTOR = re.compile(r"(\w*)([.#])([\w-]+)")
_COOKIES = re.compile(
    r"\b(cookie|consent|gdpr)[-_]?(banner|bar|notice|popup|consent|dialog|message|overlay|wall)", re.I
)
_NO_VALUE = ("hidden", "submit", "reset", "button", "image", "file", "password")


def show_frames(root: Any) -> None:
    """Put the pages that frames have in `srcdoc` in their places."""
    from lxml import html

    for _ in range(_MAX_FRAMES):
        for frame in [frame for frame in root.iter("iframe") if frame.get("srcdoc", "").strip()]:
            inner = html.document_fromstring(frame.get("srcdoc"), ensure_head_body=True).find("body")
            frame.clear(keep_tail=True)
            frame.tag, frame.text = "div", inner.text
            frame.extend(inner)


def keep_visible(root: Any) -> int:
    """Remove what is hidden, menus and cookie banners; return the number of hidden texts.

    Menus, banners and what a style sheet hides, which a script can show, stay if there is no other text.
    """
    for template in list(root.iter("template")):
        if template.get("shadowrootmode") or template.get("shadowroot"):
            template.tag = "div"
    hidden = 0
    for element in _elements(root):
        if _is_hidden(element):
            hidden += _has_text(element)
            _remove(element)
    _show_values(root)
    rules = set(_hiding_rules(root))
    furniture = [element for element in _elements(root) if _is_furniture(element)]
    unseen = [element for element in _elements(root) if rules and _hides(rules, element)]
    for element in (*furniture, *unseen):
        element.set("data-left-out", "")
    if any(text.strip() for text in _texts_outside(root)):
        hidden += sum(map(_has_text, unseen))
        for element in (*furniture, *unseen):
            _remove(element)
    return hidden


def add_fallback(root: Any) -> None:
    """Show a page without text as a browser without scripts and frames does; if that is empty too, by its title."""
    from lxml import etree, html

    body = root.find("body") if root.find("body") is not None else root
    if any(text.strip() for text in _texts_outside(body)):
        return
    for element in list(root.iter("noscript", "noframes")):
        element.tag = "div"
        if "<" in (element.text or ""):
            # The parser doesn't read what stands between frames.
            inner = html.document_fromstring(element.text, ensure_head_body=True)
            element.text = None
            element.extend(inner.find("body"))
        if next(element.iterancestors("body"), None) is None:
            body.append(element)
    if any(text.strip() for text in _texts_outside(body)):
        return
    title = root.findtext(".//title") or ""
    description = next((meta.get("content", "") for meta in root.iter("meta") if meta.get("name") == "description"), "")
    for text in (title, description):
        paragraph = etree.SubElement(body, "p")
        paragraph.text = text


def _is_hidden(element: Any) -> bool:
    if element.tag == "dialog" and element.get("open") is None:
        return True
    return element.get("hidden") is not None or bool(_HIDDEN_STYLE.search(element.get("style", "")))


def _hiding_rules(root: Any) -> Iterator[tuple[str, str]]:
    """Yield the classes (".name") and ids ("#name") that the page's own style sheets hide, each with a tag or ""."""
    for sheet in root.iter("style"):
        for selectors, properties in _rules(_without_comments(sheet.text or "")):
            for selector in selectors.split(",") if _HIDDEN_STYLE.search(properties) else ():
                if simple := _SELECTOR.fullmatch(selector.strip()):
                    yield simple[1].lower(), f"{simple[2]}{simple[3]}"


def _without_comments(sheet: str) -> str:
    first, *others = sheet.split("/*")
    return first + "".join(other.partition("*/")[2] for other in others)


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield the selectors and properties of a style sheet, without the rules for printers and small screens."""
    depth, selectors, properties = 0, "", ""
    for piece in _BRACES.split(sheet):
        if piece == "{":
            depth += 1
        elif piece == "}":
            if depth == 1:
                yield selectors, properties
            depth = max(depth - 1, 0)
        elif depth == 0:
            selectors = piece
        elif depth == 1:
            properties = piece


def _hides(rules: set[tuple[str, str]], element: Any) -> bool:
    names = [f".{name}" for name in element.get("class", "").split()] + [f"#{element.get('id', '')}"]
    return any((tag, name) in rules for name in names for tag in ("", element.tag))


def _is_furniture(element: Any) -> bool:
    if element.tag == "nav" or element.get("role") == "navigation":
        return True
    return element.tag not in ("html", "body", "main") and bool(
        _COOKIES.search(f"{element.get('class', '')} {element.get('id', '')}")
    )


def _show_values(root: Any) -> None:
    for field in list(root.iter("input", "select", "textarea")):
        kind = field.get("type", "text").lower()
        if field.tag == "textarea":
            text = field.text or ""
        elif field.tag == "select":
            options = list(field.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            text = ", ".join(" ".join("".join(option.itertext()).split()) for option in chosen)
        elif kind in ("checkbox", "radio"):
            text = "[x]" if field.get("checked") is not None else "[ ]"
        else:
            text = "" if kind in _NO_VALUE else field.get("value", "")
        tail = field.tail
        field.clear()
        field.tag, field.text, field.tail = "span", f" {text} " if text else "", tail


_SILENT = ("script", "style", "template", "noscript", "noframes", "head", "title")


def _texts_outside(root: Any) -> Any:
    """Yield the texts of a page outside of its furniture and of elements that show nothing."""
    from lxml import etree

    silent = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        is_silent = element.tag in _SILENT or element.get("data-left-out") is not None
        if event == "start":
            silent += is_silent
            if not silent and element.text:
                yield element.text
        else:
            silent -= is_silent
            if not silent and element.tail and element is not root:
                yield element.tail


def _elements(root: Any) -> list[Any]:
    return [element for element in root.iter() if isinstance(element.tag, str)]


def _has_text(element: Any) -> bool:
    return bool("".join(element.itertext()).strip())


def _remove(element: Any) -> None:
    """Empty an element. Its tail stays: moving the tails of many elements takes time that grows with their square."""
    element.clear(keep_tail=True)
    element.tag = "span"
