"""Reduces a page to what its reader sees: no hidden text and menus, but the values of form fields."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from typing import Any

_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|font-size\s*:\s*0(?![.\d])", re.I)
_COOKIES = re.compile(
    r"\b(cookie|consent|gdpr)[-_]?(banner|bar|notice|popup|consent|dialog|message|overlay|wall)", re.I
)
_MIME = re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:\s*multipart/related", re.I)
_NO_VALUE = ("hidden", "submit", "reset", "button", "image", "file", "password")


def saved_page(data: bytes) -> bytes:
    """Return the HTML of a page that a browser saved with its pictures (MHTML); return other data as it is."""
    if not _MIME.match(data[:10_000].replace(b"\r\n", b"\n")):
        return data
    message = message_from_bytes(data, policy=policy.default)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else data
    return data


def keep_visible(root: Any) -> int:
    """Remove what is hidden, menus and cookie banners, if other text is left; return the number of hidden texts."""
    for template in list(root.iter("template")):
        if template.get("shadowrootmode") or template.get("shadowroot"):
            template.tag = "div"
    hidden = 0
    for element in list(root.iter()):
        if isinstance(element.tag, str) and _is_hidden(element):
            hidden += bool(_has_text(element))
            _remove(element)
    _show_values(root)
    furniture = [element for element in root.iter() if isinstance(element.tag, str) and _is_furniture(element)]
    for element in furniture:
        element.set("data-left-out", "")
    if any(text.strip() for text in _texts_outside(root)):
        for element in furniture:
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
    return element.get("hidden") is not None or bool(_HIDDEN_STYLE.search(element.get("style", "")))


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


def _has_text(element: Any) -> bool:
    return bool("".join(element.itertext()).strip())


def _remove(element: Any) -> None:
    """Empty an element. Its tail stays: moving the tails of many elements takes time that grows with their square."""
    element.clear(keep_tail=True)
    element.tag = "span"
