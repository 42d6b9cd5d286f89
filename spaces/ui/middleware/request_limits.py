"""The limits of a page as data, and the answers to requests that exceed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.formparsers import MultiPartException

from ui.process.environment import int_setting

KB, MB = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Sizes in bytes and times in seconds."""

    head_bytes: int = 32 * KB  # the request line and all headers
    head_seconds: float = 10.0
    connections: int = 2_000
    body_bytes: int = 8 * MB  # an event's inputs; the documents of an API call are the largest
    json_values: int = 10_000  # in an event's inputs, without those inside of strings
    small_body_bytes: int = 64 * KB  # every other body
    bodies_per_address: int = 32 * MB  # all bodies at the same time, because they are in memory
    bodies: int = 128 * MB
    file_bytes: int = 0  # each page that takes files says how large they may be
    files: int = 50  # in one upload
    field_bytes: int = 64 * KB  # the parts of an upload that aren't files, all together
    uploads_per_address: int = 400 * MB  # uploads that arrive or wait to be used
    uploads: int = 4_000 * MB
    broken_uploads_per_address: int = 100 * MB  # in a minute, of uploads that broke off or were refused
    unused_upload_seconds: float = 3600.0  # until an upload that no event works with is deleted
    body_seconds: float = 30.0  # without a byte, or for the start of a slow body
    body_bytes_per_second: int = 4 * KB  # the slowest that a body may be on average

    @property
    def upload_bytes(self) -> int:
        """The size of one upload: the files, and 1 MB for what is around them."""
        return min(self.files * self.file_bytes, self.uploads_per_address) + MB

    @classmethod
    def from_environment(
        cls,
        *,
        max_file_mb: int = 0,
        max_files: int | None = None,
        unused_upload_seconds: float = 3600.0,
        environment: Mapping[str, str] | None = None,
    ) -> RequestLimits:
        """Read SPACEPORT_MAX_BODY_MB, _MAX_CONNECTIONS, SPACEPORT_ADDRESS_UPLOADS_MB and SPACEPORT_ALL_UPLOADS_MB."""

        def number(name: str, default: int) -> int:
            return int_setting(f"SPACEPORT_{name}", default, environment, least=1)

        default = cls()
        return replace(
            default,
            file_bytes=max_file_mb * MB,
            files=max_files or default.files,
            unused_upload_seconds=unused_upload_seconds,
            body_bytes=number("MAX_BODY_MB", default.body_bytes // MB) * MB,
            connections=number("MAX_CONNECTIONS", default.connections),
            uploads_per_address=number("ADDRESS_UPLOADS_MB", default.uploads_per_address // MB) * MB,
            uploads=number("ALL_UPLOADS_MB", default.uploads // MB) * MB,
        )


class Refused(MultiPartException):
    """A request that exceeds a limit: the status and the text of the answer.

    The parsers of Gradio and Starlette delete their temporary files on a `MultiPartException`, and on nothing else.
    """

    def __init__(self, status: int, message: str, *, retry_seconds: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_seconds = retry_seconds


def size_text(size: int) -> str:
    """Return a number of bytes as `8 MB` or `64 kB`."""
    return f"{size // MB:,} MB" if size >= MB else f"{size // KB:,} kB"
