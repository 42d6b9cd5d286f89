"""Checks a multipart body while it arrives, before the page's own parser stores any of it."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ui.middleware.request_limits import Refused, RequestLimits, size_text

MULTIPART = b"multipart/form-data"


class MultipartCheck:
    """Counts the parts of an upload and their sizes with the parser that Gradio and Starlette use."""

    def __init__(self, boundary: bytes, limits: RequestLimits, file_field: str | None) -> None:
        """Every part must be a file with the name `file_field`; None means that the name doesn't matter."""
        self._limits = limits
        self._file_field = file_field.encode() if file_field else None
        self._files = 0
        self._field_bytes = 0
        self._size = 0
        self._is_file = False
        self._header, self._value, self._disposition = b"", b"", b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._start_part,
                "on_part_data": self._add_data,
            },
        )

    def add(self, data: bytes) -> None:
        """Check the next bytes of the body; raise `Refused` if they exceed a limit or aren't multipart."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Refused(400, "The upload isn't a valid multipart body.") from error

    def _begin_part(self) -> None:
        self._size, self._disposition = 0, b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _start_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._is_file = b"filename" in options
        if not self._is_file:
            self._add_to_fields(len(self._disposition))
        named = self._file_field is None or options.get(b"name") == self._file_field
        if self._file_field and not (self._is_file and named):
            raise Refused(400, "An upload may only contain files.")
        self._files += self._is_file
        if self._files > self._limits.files:
            raise Refused(413, f"An upload may have up to {self._limits.files:,} files.")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            return self._add_to_fields(end - start)
        self._size += end - start
        if self._size > self._limits.file_bytes:
            raise Refused(413, f"The file is too large: the limit is {size_text(self._limits.file_bytes)}.")
        return None

    def _add_to_fields(self, size: int) -> None:
        self._field_bytes += size
        if self._field_bytes > self._limits.field_bytes:
            raise Refused(413, f"The form's fields are too large: the limit is {size_text(self._limits.field_bytes)}.")


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary of a multipart content type, or None."""
    kind, options = parse_options_header(content_type)
    return options.get(b"boundary") if kind == MULTIPART else None
