"""A built library finds what a visitor's library finds, and a damaged one is refused by name."""

from __future__ import annotations

import gc
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from rag.__main__ import main
from rag.answering.retrieve import retrieve_passages
from rag.library.built.manifest import LibraryRefused
from rag.library.built.shared_library import BuiltLibrary
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from tests.conftest import ROOT
from tests.rag.library.built.conftest import Builder

CORPUS = ROOT / "spaces" / "chat_rag" / "corpus"
QUESTIONS = ("How wide is the exclusion zone?", "Which birds breed on the island?", "What does a berth cost?")


def test_it_finds_what_a_library_of_the_same_files_finds(
    tmp_path: Path, build: Builder, embedder: Embedder, library: Library
) -> None:
    build(CORPUS, tmp_path / "library")
    shared = BuiltLibrary(tmp_path / "library", embedder)
    for path in sorted(CORPUS.iterdir()):
        library.add(path)
    assert shared.documents == library.documents
    for question in QUESTIONS:
        found = retrieve_passages([shared], question, embedder, limit=3)
        expected = retrieve_passages([library], question, embedder, limit=3)
        assert [(each.document, each.start, each.end) for each in found] == [
            (each.document, each.start, each.end) for each in expected
        ]
        assert [each.dense for each in found] == pytest.approx([each.dense for each in expected], abs=0.005)


def test_originals_are_checked(folder: Path, tmp_path: Path, build: Builder, embedder: Embedder) -> None:
    build(folder, tmp_path / "library", originals=True)
    shared = BuiltLibrary(tmp_path / "library", embedder)
    birds = next(document for document in shared.documents if document.name.endswith("birds.md"))
    assert shared.original(birds.id) == (folder / "birds.md").read_bytes()
    (tmp_path / "library" / "originals" / birds.id).write_bytes(b"something else")
    assert shared.original(birds.id) is None
    assert shared.original("../manifest.json") is None


def test_damaged_files_and_other_models_are_refused_by_name(
    folder: Path, tmp_path: Path, build: Builder, embedder: Embedder
) -> None:
    good = build(folder, tmp_path / "good")
    for kind, file in good.files.items():
        for number, change in enumerate((lambda data: data[:-1], lambda data: data[:-1] + bytes([data[-1] ^ 1]))):
            place = shutil.copytree(tmp_path / "good", tmp_path / f"{kind}{number}")
            (place / file.name).write_bytes(change((place / file.name).read_bytes()))
            with pytest.raises(LibraryRefused, match=file.name):
                BuiltLibrary(place, embedder)
            assert gc.isenabled()  # it pauses while a library is loaded
    manifest = json.loads((tmp_path / "good" / "manifest.json").read_text())
    for changes, message in (
        ({"format": 0}, "has the format 0"),
        ({"label": "another model"}, "is for “another model”"),
        ({"files": {}}, "damaged"),
        ({"files": manifest["files"] | {"vectors": {"name": "../x", "bytes": 1, "sha256": ""}}}, "damaged"),
        ({"sources": [{"path": "birds.md", "document": "../../app.py"}]}, "damaged"),
    ):
        (tmp_path / "good" / "manifest.json").write_text(json.dumps(manifest | changes))
        with pytest.raises(LibraryRefused, match=message) as refused:
            BuiltLibrary(tmp_path / "good", embedder)
        assert "python -m rag build FOLDER --out" in str(refused.value.for_terminal)
    with pytest.raises(LibraryRefused, match="isn't a library"):
        BuiltLibrary(tmp_path / "nothing", embedder)


def forge(place: Path, kind: str, content: bytes) -> None:
    """Replace a file of a library, with the right checksum, as somebody who means harm would do it."""
    manifest = json.loads((place / "manifest.json").read_text())
    digest = hashlib.sha256(content).hexdigest()
    name = re.sub("[0-9a-f]{16}", digest[:16], manifest["files"][kind]["name"])
    (place / name).write_bytes(content)
    manifest["files"][kind] = {"name": name, "bytes": len(content), "sha256": digest}
    (place / "manifest.json").write_text(json.dumps(manifest))


def test_a_forged_library_is_refused_with_a_sentence(
    folder: Path, tmp_path: Path, build: Builder, embedder: Embedder
) -> None:
    place = tmp_path / "library"
    files = build(folder, place).files
    manifest = (place / "manifest.json").read_text()

    def check(message: str) -> None:
        with pytest.raises(LibraryRefused, match=message):
            BuiltLibrary(place, embedder)
        (place / "manifest.json").write_text(manifest)

    for changes in (
        {"dimension": 7}, {"dimension": "x"}, {"dimension": -1}, {"documents": "x"}, {"largest_error": "x"},
        {"name": 1}, {"sources": [{"path": 1}]}, {"sources": 1}, {"files": 1},
    ):  # fmt: skip
        (place / "manifest.json").write_text(json.dumps(json.loads(manifest) | changes))
        check("is damaged")
    (place / "manifest.json").write_text('{"format": ' + "[" * 100_000)
    check("is damaged")
    lines = (place / files["documents"].name).read_text().splitlines()
    first = json.loads(lines[0])
    for more in (
        {"stems": -1}, {"stems": "x"}, {"stems": True}, {"stems": 10**9}, {"new_stems": "x"}, {"new_stems": [1]},
        {"new_stems": []}, {"new_stems": [*first["new_stems"], first["new_stems"][0]]}, {"language": 1},
        {"error": "x"}, {"pages": [["x", 0, 1]]}, {"pages": [[1]]}, {"chunks": [{"start": "x"}]}, {"chunks": "x"},
        {"chunks": [first["chunks"][0] | {"page": {}}]}, {"chunks": first["chunks"] * 1000}, {"document": {}},
    ):  # fmt: skip
        forge(place, "documents", "\n".join([json.dumps(first | more), *lines[1:]]).encode())
        check("is damaged")
    second = json.loads(lines[1])
    new, known = second["new_stems"], first["new_stems"]
    twice = json.dumps(second | {"new_stems": [*new, new[0], known[0]]})  # one twice and a known one: as many as it has
    forge(place, "documents", "\n".join([lines[0], twice, *lines[2:]]).encode())
    check("new words aren't a list of new words")
    for content in (b"[]", b"[" * 100_000, b"{}", b"\xff"):
        forge(place, "documents", content)
        check("is damaged")
    for kind, byte, message in (
        ("rows", b"\xff", "chunks that it doesn't have"), ("counts", b"\xff", "words aren't all there"),
        ("stems", b"\xff", "in the vocabulary"), ("stems", b"\0", "a word twice"),
    ):  # fmt: skip
        forge(place, kind, byte * files[kind].bytes)
        check(message)
    BuiltLibrary(place, embedder)


def test_inspect_names_what_is_missing_first(
    folder: Path, tmp_path: Path, build: Builder, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = build(folder, tmp_path / "library")
    assert main(["inspect", str(tmp_path / "library")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "not read: broken.pdf (“broken.pdf” isn't a valid PDF file)",
        "not read: link.txt (a link)",
        "the same as harbour/copy.txt: harbour/rules.txt",
    ]
    assert "documents: 4" in lines
    vectors = tmp_path / "library" / manifest.files["vectors"].name
    vectors.write_bytes(vectors.read_bytes()[:100])
    assert main(["inspect", str(tmp_path / "library")]) == 1
    assert vectors.name in capsys.readouterr().err
