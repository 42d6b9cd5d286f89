"""Fixtures that read files from bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.documents import Document
from rag.errors import DocumentError
from rag.reading.parse import read_document
from tests.conftest import DATA, missing


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Document]:
    """A function that writes bytes under a name and reads them as a document."""

    def write_and_read(name: str, content: bytes | str, **options: object) -> Document:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_document(path, **options)  # type: ignore[arg-type]

    return write_and_read


@pytest.fixture
def refusal(read: Callable[..., Document]) -> Callable[..., DocumentError]:
    """A function that returns the error for a file, which must have a message and a remedy."""

    def error_of(name: str, content: bytes | str, **options: object) -> DocumentError:
        with pytest.raises(DocumentError) as caught:
            read(name, content, **options)
        assert caught.value.message
        assert caught.value.remedy
        assert str(caught.value) == f"{caught.value.message} {caught.value.remedy}"
        return caught.value

    return error_of


@pytest.fixture
def filing() -> Callable[[str], Path]:
    """A function that returns the path of a real quarterly report by its file name."""

    def find(name: str) -> Path:
        path = DATA / "filings" / name
        if not path.exists():
            missing(f"{path} (SPACEPORT_TEST_DATA is the folder with filings/)")
        return path

    return find
