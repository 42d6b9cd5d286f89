"""Reads e-mail messages: the head, the body, and the attachments that a reader knows."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.errors import CloseBoundaryNotFoundDefect, InvalidBase64LengthDefect
from email.headerregistry import HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage, Message

from rag.documents import Content, Limits, Note, NoteKind
from rag.errors import DocumentError
from rag.reading.formats.html.markdown import add_html
from rag.reading.formats.html.page import html_source
from rag.reading.formats.messages.parts import other_parts
from rag.reading.formats.names_note import names_note
from rag.reading.formats.text.decode import decode, known_encoding
from rag.reading.markdown.content_writer import ContentWriter

ReadFile = Callable[[bytes, str], Content]  # its bytes and its name
_HEAD = ("From", "To", "Cc", "Bcc", "Date")
_MAX_DEPTH = 5
_CUT = (CloseBoundaryNotFoundDefect, InvalidBase64LengthDefect)  # of a message that ends too early


def _policy() -> policy.EmailPolicy[EmailMessage]:
    """Return a policy that keeps lists of names as they are; Python's drops all of "Ann; Ben" but the first name."""
    registry = HeaderRegistry()
    for name in (*_HEAD, "Sender", "Reply-To"):
        registry.map_to_type(name, UniqueUnstructuredHeader)  # type: ignore[arg-type]  # which adds the base
    return policy.default.clone(header_factory=registry)


POLICY = _policy()


def read_mail(data: bytes, name: str, limits: Limits, read_file: ReadFile) -> Content:
    """Return the subject as a heading, the head, the body, and each attachment below a heading with its name.

    Attachments that can't be read are named in a note.
    """
    message = message_from_bytes(data, policy=POLICY)
    if not any(_header(message, key) for key in (*_HEAD, "Subject")):
        raise DocumentError(f"“{name}” isn't a valid e-mail message.", "Save it again in the mail program.")
    return read_message(message, name, limits, read_file)


def read_message(message: EmailMessage | Message, name: str, limits: Limits, read_file: ReadFile) -> Content:
    """Return what `read_mail` does, of a message that was parsed."""
    reader = _Reader(name, limits, read_file)
    reader.add_message(message)
    if cut := sum(1 for part in message.walk() if any(isinstance(defect, _CUT) for defect in part.defects)):
        reader.writer.notes.append(Note(NoteKind.DAMAGED_PARTS, cut))
    if reader.unread:
        reader.writer.notes.append(names_note(NoteKind.UNREAD_ATTACHMENTS, reader.unread, len(reader.unread)))
    return reader.writer.content()


class _Reader:
    """Writes a message and those inside it."""

    def __init__(self, name: str, limits: Limits, read_file: ReadFile) -> None:
        self.writer = ContentWriter(name, limits)
        self.unread: list[str] = []
        self._name, self._limits, self._read_file = name, limits, read_file

    def add_message(self, message: EmailMessage | Message, depth: int = 0) -> None:
        self.writer.add_block(f"# {subject}" if (subject := _header(message, "Subject")) else "")
        lines = [f"{key}: {value}" for key in _HEAD if (value := _header(message, key))]
        self.writer.add_block("\n".join(lines))
        if not isinstance(message, EmailMessage):
            return
        body = message.get_body(preferencelist=("html", "plain"))
        if body is not None:
            self._add_text(body)
        for part in other_parts(message, body):
            self._add_attachment(part, depth)

    def _add_attachment(self, part: Message, depth: int) -> None:
        file_name = " ".join((part.get_filename() or "").split())
        content = part.get_payload(decode=True)
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0)
            if isinstance(inner, Message) and depth < _MAX_DEPTH:
                self.add_message(inner, depth + 1)
            elif isinstance(inner, Message):
                self.unread.append(file_name or _header(inner, "Subject") or part.get_content_type())
        elif not file_name and part.get_content_maintype() == "text":
            self._add_text(part)
        elif isinstance(content, bytes) and content.strip():
            self._add_file(content, file_name or part.get_content_type())

    def _add_file(self, content: bytes, file_name: str) -> None:
        try:
            document = self._read_file(content, file_name)
        except DocumentError:
            self.unread.append(file_name)
            return
        self.writer.add_block(f"# {file_name}")
        self.writer.add_content(document)

    def _add_text(self, part: Message) -> None:
        content, charset = part.get_payload(decode=True), part.get_content_charset("")
        if not isinstance(content, bytes):
            return
        if part.get_content_subtype() == "html":
            self.writer.note_hidden(add_html(self.writer, html_source(content, self._name, self._limits, charset)))
        else:
            text = decode(content, self._name, declared=known_encoding(charset)) if content.strip() else ""
            self.writer.add_block(text.replace("\r\n", "\n"))


def _header(message: Message, name: str) -> str:
    """Return a header's text; mail programs also write UTF-8 where the standard wants an encoded word."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            return " ".join(str(POLICY.header_factory(name, text)).split())
    return ""
