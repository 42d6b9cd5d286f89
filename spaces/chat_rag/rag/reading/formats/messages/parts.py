"""Finds the parts of a message beside its body, in whatever they are packed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage, Message

_WORD = re.compile(r"[^\W_]+")
_TAG = re.compile(r"<[^<>]*>")


def other_parts(message: EmailMessage, body: Message | None) -> Iterator[Message]:
    """Yield the parts that aren't the body, another form of it, or a picture inside of it.

    Python's own list leaves out what is beside an alternative of the body, as Apple Mail writes attachments.
    """
    for container, part in _leaves(message):
        is_text = part.get_content_maintype() == "text" and not part.get_filename()
        is_picture = part.get_content_maintype() == "image" and container.get_content_subtype() == "related"
        if part is body or (is_text and container.get_content_subtype() == "alternative"):
            continue
        if (is_picture and container is not message) or (is_text and _repeats(part, body)):
            continue
        yield part


def _leaves(container: Message) -> Iterator[tuple[Message, Message]]:
    """Yield the parts without parts of their own, but for messages, each after what it is in.

    A message without parts, such as an encrypted one, is a part itself.
    """
    if not container.is_multipart():
        yield container, container
    for part in container.get_payload() if container.is_multipart() else ():
        if not isinstance(part, Message):
            continue
        if part.get_content_maintype() == "multipart":
            yield from _leaves(part)
        else:
            yield container, part


def _repeats(part: Message, body: Message | None) -> bool:
    """Return whether a text has the words of the body."""
    return body is not None and _words(part) == _words(body)


def _words(part: Message) -> list[bytes | str]:
    content = part.get_payload(decode=True)
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return list(_WORD.findall(_TAG.sub(" ", text)))
