"""Reduces a page to what its reader sees: no hidden text and menus, but the values of form fields."""

from __future__ import annotations

import re
from typing import Any

from rag.reading.formats.html.contrast import take_invisible
from rag.reading.formats.html.styles import StyleSheets, declarations

_ZERO = re.compile(r"(?:0*\.)?0+(?:px|pt|r?em|%)?")
_FAR_OUTSIDE = re.compile(r"-\d{4,}(?:px|pt|r?em|%|vw|vh)?|-\d{3}(?:r?em|%|vw|vh)")
_CLIPPED = re.compile(r"rect\(\s*[01](?:px)?[\s,].*|inset\(\s*(?:50|100)%.*|circle\(\s*0.*")
_SHRUNK = re.compile(r"scale\(\s{0,9}0|translate[xy]?\(\s{0,9}-\d{4}")
_FADED = re.compile(r"opacity\(\s{0,9}(?:0+|0*\.0+)%?\s{0,9}\)")
MAX_FRAMES = 3  # frames inside frames
_COOKIES = re.compile(
    r"\b(cookie|consent|gdpr)[-_]?(banner|bar|notice|popup|consent|dialog|message|overlay|wall)", re.I
)
_MENUS = ("navigation", "menu", "menubar")
# The links to other pages that generators of manuals put above and below each page.
_PAGE_LINKS = frozenset(["navheader", "navfooter", "docnav", "prevnext", "breadcrumb", "breadcrumbs"])
_NO_VALUE = ("hidden", "submit", "reset", "button", "image", "file", "password")


def show_frames(root: Any) -> None:
    """Put the pages that frames have in `srcdoc` in their places."""
    for _ in range(MAX_FRAMES):
        for frame in [frame for frame in root.iter("iframe") if frame.get("srcdoc", "").strip()]:
            inner = _parsed_body(frame.get("srcdoc"))
            frame.clear(keep_tail=True)
            frame.tag, frame.text = "div", inner.text
            frame.extend(inner)


def _parsed_body(source: str) -> Any:
    """Return the body of a page, empty if the page is nothing but comments."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return html.document_fromstring(source.encode(), parser=parser, ensure_head_body=True).find("body")
    except etree.ParserError:
        return etree.Element("body")


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
    sheets = StyleSheets(root)
    furniture = [element for element in _elements(root) if _is_furniture(element)]
    unseen = [element for element in _elements(root) if _is_unseen(element, sheets)]
    for element in (*furniture, *unseen):
        element.set("data-left-out", "")
    if _shows_text(root):
        hidden += sum(map(_has_text, unseen))
        for element in (*furniture, *unseen):
            _remove(element)
    return hidden + take_invisible(root, sheets)


def add_fallback(root: Any) -> None:
    """Show a page without text as a browser without scripts and frames does.

    If that is empty too, its title and description are shown, then what it has for browsers that don't show its videos
    and the like: that is often only a remark about the browser.
    """
    from lxml import etree

    body = root.find("body") if root.find("body") is not None else root
    if _shows_text(body):
        return
    _unwrap(root, body, ("noscript", "noframes"))
    if _shows_text(body):
        return
    title = root.findtext(".//title") or ""
    description = next((meta.get("content", "") for meta in root.iter("meta") if meta.get("name") == "description"), "")
    for place, text in enumerate((title, description)):
        paragraph = etree.Element("p")
        paragraph.text = text
        body.insert(place, paragraph)
    _unwrap(root, body, _EMBEDDED)


def _unwrap(root: Any, body: Any, tags: tuple[str, ...]) -> None:
    """Turn elements that browsers replace into blocks of the page's body."""
    for element in list(root.iter(*tags)):
        element.tag = "div"
        if "<" in (element.text or ""):
            # The parser doesn't read what stands between frames.
            inner = _parsed_body(element.text)
            element.text = inner.text
            element.extend(inner)
        if next(element.iterancestors("body"), None) is None:
            body.append(element)


def _shows_text(root: Any) -> bool:
    return any(text.strip() for text in _texts_outside(root))


def _is_hidden(element: Any) -> bool:
    if element.tag == "dialog" and element.get("open") is None:
        return True
    style = element.get("style")
    return element.get("hidden") is not None or (style is not None and _hides(declarations(style)))


def _hides(properties: dict[str, str]) -> bool:
    """Return whether what an element declares keeps its text from being seen, whatever its color."""

    def has(name: str, value: re.Pattern[str]) -> bool:
        return name in properties and bool(value.fullmatch(properties[name]))

    if properties.get("display") == "none" or properties.get("visibility") in ("hidden", "collapse"):
        return True
    if properties.get("content-visibility") == "hidden" or _FADED.search(properties.get("filter", "")):
        return True
    if has("opacity", _ZERO) or has("clip-path", _CLIPPED) or _SHRUNK.search(properties.get("transform", "")):
        return True
    if any(has(name, _FAR_OUTSIDE) for name in ("left", "top", "text-indent", "margin-left", "margin-top")):
        return True
    is_folded = any(has(name, _ZERO) for name in ("height", "max-height", "width", "max-width"))
    return has("clip", _CLIPPED) or (is_folded and properties.get("overflow") == "hidden")


def _is_unseen(element: Any, sheets: StyleSheets) -> bool:
    """Return whether the page's style sheets hide an element."""
    properties: dict[str, str] = {}
    for rule in sheets.matching(element):
        properties |= rule.properties
    return _hides(properties)


def _is_furniture(element: Any) -> bool:
    if element.tag == "nav" or element.get("role") in _MENUS:
        return True
    if element.tag in ("div", "ul", "ol", "table", "p") and not _PAGE_LINKS.isdisjoint(
        (element.get("class") or "").lower().split()
    ):
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


_EMBEDDED = ("object", "video", "audio", "canvas", "iframe")  # their content is for browsers that don't show them
_SILENT = ("script", "style", "template", "noscript", "noframes", "head", "title", *_EMBEDDED)


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
