"""Reads messages that Outlook saved (MSG)."""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING

from rag.documents import Content, Limits
from rag.errors import DocumentError
from rag.reading.formats.messages.mail import POLICY, ReadFile, read_message

if TYPE_CHECKING:
    from oxmsg import Message

_DISPLAY_TO, _DISPLAY_CC, _DISPLAY_BCC = 0x0E04, 0x0E03, 0x0E02
_RICH_TEXT, _RICH_TEXT_NAME = 0x1009, "the message's rich text"
_SHORT_FILE_NAME, _DISPLAY_NAME = 0x3704, 0x3001


def read_outlook(data: bytes, name: str, limits: Limits, read_file: ReadFile) -> Content:
    """Return the subject as a heading, the head, the body, and each attachment below a heading with its name.

    Attachments that can't be read, such as messages inside of the message, are named in a note.
    """
    from oxmsg import Message

    try:
        message = _internet_message(Message.load(data))
    except (ValueError, OSError, LookupError, AssertionError) as error:
        raise DocumentError(f"“{name}” isn't a valid Outlook message.", "Save it again in Outlook.") from error
    return read_message(message, name, limits, read_file)


def _internet_message(outlook: Message) -> EmailMessage:
    """Return the message as mail programs send it."""
    message = EmailMessage(policy=POLICY)
    texts = outlook.properties.str_prop_value
    date = f"{outlook.sent_date:%a, %d %b %Y %H:%M:%S %z}" if outlook.sent_date else ""
    sender = (outlook.sender or "").replace('"', "")
    names = {"To": texts(_DISPLAY_TO), "Cc": texts(_DISPLAY_CC), "Bcc": texts(_DISPLAY_BCC)}
    for key, value in ({"Subject": outlook.subject, "From": sender} | names | {"Date": date}).items():
        if text := _plain(value):
            message[key] = text
    if html := outlook.html_body:
        message.set_content(html.rstrip("\0"), subtype="html")
    else:
        message.set_content(_plain(outlook.body, lines=True))
    if not outlook.html_body and not outlook.body and outlook.properties.binary_prop_value(_RICH_TEXT):
        _add_file(message, _RICH_TEXT_NAME, None)
    for attachment in outlook.attachments:
        own = attachment.properties.str_prop_value
        file_name = attachment.file_name or own(_SHORT_FILE_NAME) or own(_DISPLAY_NAME)
        _add_file(message, _plain(file_name) or "attachment", attachment.file_bytes)
    return message


def _add_file(message: EmailMessage, name: str, content: bytes | None) -> None:
    """Attach a file; a message inside, and packed rich text, have no content, and no reader knows this one."""
    message.add_attachment(content or b"\0", maintype="application", subtype="octet-stream", filename=name)


def _plain(text: str | None, *, lines: bool = False) -> str:
    text = (text or "").replace("\0", "").replace("\r\n", "\n")
    return text if lines else " ".join(text.split())
