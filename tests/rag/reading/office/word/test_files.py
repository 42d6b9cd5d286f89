"""Word files: structure, archives that are bombs, and files that can't be read."""

from __future__ import annotations

import io
import os
import zipfile

import pytest

from rag.documents import Limits
from tests.rag import make_documents as make


def test_docx_keeps_its_structure(read):
    document = read("a.docx", make.docx())
    lines = document.text.splitlines()
    assert "# Annual report" in lines
    assert "## Sales" in lines
    assert "Sales of first_token units *rose* by 3 %." in lines
    assert "* apples" in lines
    assert "| Phones | 82,959 |" in lines
    assert "data:" not in document.text
    assert document.media_type.endswith("wordprocessingml.document")


def test_docx_image_from_the_network_is_not_fetched(read):
    drawing = (
        '<w:p><w:r><w:t>before</w:t></w:r><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/'
        'drawingml/2006/wordprocessingDrawing"><wp:docPr id="1" name="x" descr="a chart"/><a:graphic xmlns:a='
        '"http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData><pic:pic xmlns:pic="http://schemas.'
        'openxmlformats.org/drawingml/2006/picture"><pic:blipFill><a:blip r:link="rId9" xmlns:r="http://schemas.'
        'openxmlformats.org/officeDocument/2006/relationships"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r><w:r><w:t> after</w:t></w:r></w:p>"
    )
    relationships = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId9" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" TargetMode="External" '
        'Target="http://127.0.0.1:9/pixel.png"/></Relationships>'
    )
    content = make.packed_docx(drawing, extra={"word/_rels/document.xml.rels": relationships.encode()})
    assert read("a.docx", content).text == "before a chart after"


@pytest.mark.parametrize("part", ["word/document.xml", "word/media/image1.png", "word/embeddings/inner.docx"])
def test_docx_bomb_is_rejected_by_its_declared_size(refusal, part):
    zeros = bytes(30_000_000)
    content = make.archive({"[Content_Types].xml": make.CONTENT_TYPES.encode(), part: zeros})
    assert "unpack to 30 MB" in refusal("a.docx", content).message
    assert "unpack to 30 MB" in refusal("a.docx", content, limits=Limits(unpacked_bytes=20_000_000)).message


def test_docx_with_many_media_parts_counts_their_sum(refusal):
    media = {f"word/media/{number}.bin": os.urandom(1_000_000) for number in range(4)}
    content = make.packed_docx(make.paragraph("text"), extra=media)
    assert "unpack to 4 MB" in refusal("a.docx", content, limits=Limits(unpacked_bytes=3_000_000)).message


def test_docx_with_a_false_size_is_not_unpacked_further(refusal):
    content = make.packed_docx(make.paragraph("x" * 20_000_000))
    content_with_false_size = make.with_declared_size(content, "word/document.xml", 1000)
    assert zipfile.ZipFile(io.BytesIO(content_with_false_size)).getinfo("word/document.xml").file_size == 1000
    assert "damaged" in refusal("a.docx", content_with_false_size).message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_docx_with_xml_entities_is_rejected(refusal, encoding):
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    prefix = f'<!DOCTYPE x [<!ENTITY e0 "lol">{levels}]>'
    document = (
        f'{prefix}<w:document xmlns:w="{make.WORD_NAMESPACE}"><w:body>{make.paragraph("&e9;")}</w:body></w:document>'
    )
    content = make.packed_docx(extra={"word/document.xml": document.encode(encoding)})
    assert "document type" in refusal("a.docx", content).message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make.docx()[:3000], "damaged"),
        (make.archive({"a.txt": b"hello"}), "not a Word document"),
        (make.archive({"[Content_Types].xml": b"spreadsheetml", "xl/workbook.xml": b"<x/>"}), "not a Word document"),
        (make.packed_docx("<w:p><w:unclosed>"), "damaged"),
        (make.archive({"[Content_Types].xml": b"wordprocessingml"}), "damaged"),
        (make.archive({"word/document.xml": b"<a/>" * 9}, zipfile.ZIP_BZIP2), "compression method"),
        (make.packed_docx(), "no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted Office file or one in an old format"),
    ],
)
def test_docx_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.docx", content).message


def test_docx_nested_too_deeply(refusal):
    depth = 3000
    assert refusal("a.docx", make.packed_docx("<w:ins>" * depth + make.paragraph("x") + "</w:ins>" * depth))
