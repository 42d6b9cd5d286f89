"""Files of any type: empty and large ones, wrong extensions, and names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rag.documents import Limits
from rag.errors import DocumentError
from rag.reading.file_names import display_name
from rag.reading.parse import SUFFIXES, read_document
from tests.rag import make_documents as make


def test_importing_the_reader_imports_no_parser():
    heavy = "pypdfium2 markitdown chardet semantic_text_splitter lxml bs4 gradio"
    script = (
        f"import sys, rag.reading.parse, rag.reading.chunk; print([m for m in {heavy.split()!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n "])
def test_an_empty_file(refusal, suffix, content):
    assert "is empty" in refusal(f"a{suffix}", content).message


@pytest.mark.parametrize("content", ["\ufeff".encode(), "\ufeff \n".encode("utf-16-le"), "\u3000\n".encode()])
def test_a_file_of_white_space_in_any_encoding(refusal, content):
    assert refusal("a.txt", content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", make.PNG, "PNG"),
        ("a.md", make.pdf("text"), "PDF"),
        ("a.csv", make.archive({"a": b"b"}), "ZIP"),
        ("a.html", b"\xff\xd8\xff\xe0" + bytes(20), "JPEG"),
        ("a.pdf", b"MZ\x90\0\3\0\0\0" + bytes(100), "EXE"),
        ("a.pdf", b"just words", "isn't a valid PDF file"),
        ("a.pdf", make.docx(), "ZIP"),
        ("a.docx", make.pdf("text"), "PDF"),
        ("a.docx", b"just words", "isn't a valid Word file"),
    ],
)
def test_a_wrong_extension(refusal, name, content, words):
    assert words in refusal(name, content).message


def test_the_remedy_names_the_right_extension(refusal):
    assert ".pdf" in refusal("a.txt", make.pdf("text")).remedy


def test_a_text_can_start_like_a_program(read):
    assert read("a.txt", "MZ was a magazine.").text == "MZ was a magazine."


@pytest.mark.parametrize("name", ["a.exe", "a.xyz", "a", "pdf", ".pdf"])
def test_an_unsupported_file_type_names_the_supported_ones(refusal, name):
    error = refusal(name, "text")
    assert error.message == f"Unsupported file type: “{name}”."
    assert all(suffix in error.remedy for suffix in SUFFIXES)


@pytest.mark.parametrize(
    ("name", "content", "other"),
    [
        ("Letter.DOC", "text", ".docx"),
        ("a.odp", make.archive({"a": b""}), ".pptx"),
        ("a.gif", b"GIF89a", ".png"),
        ("a.tar.gz", b"\x1f\x8b", ".zip"),
        ("a.xls", "<html><table><tr><td>1</table>", ".html"),
        ("a.pdf", b"\xef\xbb\xbf\n<!DOCTYPE html><p>Log in", ".html"),
    ],
)
def test_the_remedy_names_the_format_to_save(refusal, name, content, other):
    assert f" {other}" in refusal(name, content).remedy


def test_a_large_file_is_rejected_before_it_is_read(tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(10**12)  # it would fit into no memory
    with pytest.raises(DocumentError, match="MB; the limit is 50 MB"):
        read_document(path)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_too_many_characters(refusal, name):
    assert "the limit is 10" in refusal(name, "abcdefghijk", limits=Limits(characters=10)).message


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(DocumentError, match="Can't open"):
        read_document(tmp_path / "gone.txt")
    with pytest.raises(DocumentError, match="isn't a file"):
        read_document(tmp_path, name="a.txt")


def test_an_error_of_a_parser_becomes_a_document_error(refusal, monkeypatch):
    from markitdown.converters import HtmlConverter

    def fail(*_, **__):
        raise KeyError("some detail")

    monkeypatch.setattr(HtmlConverter, "convert_string", fail)
    error = refusal("a.html", "<p>x</p>")
    assert "a.html" in error.message
    assert "damaged" in error.message
    assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.txt", "report.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\report.txt", "report.txt"),
        ("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt"),
        ("a\nb\tc\0d\x1b[31m.txt", "abcd[31m.txt"),
        ("safe\u202etxt.exe.txt", "safetxt.exe.txt"),
        ("\u2066a\u2069\u200b\ufeff.txt", "a.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("bad\udcff.txt", "bad.txt"),
        ("x" * 300 + ".txt", "x" * 115 + "….txt"),
    ],
)
def test_the_display_name_is_safe(tmp_path, name, expected):
    path = tmp_path / "upload.txt"
    path.write_text("text")
    assert len(expected) <= 120
    assert read_document(path, name=name).name == expected


@pytest.mark.parametrize("name", ["", "..", "/", "\u202e", "a/.."])
def test_an_empty_name_is_replaced(name):
    assert display_name(name) == "document"


def test_a_name_without_a_suffix_takes_the_format_of_the_file(tmp_path):
    path = tmp_path / "upload.txt"
    path.write_text("text")
    assert read_document(path, name="My notes").name == "My notes"
