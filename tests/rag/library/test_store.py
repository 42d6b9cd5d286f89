"""Stored documents: complete or absent, private to the owner, and available after a restart."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag.answering.retrieve import retrieve_passages
from rag.documents import Chunk, Document, Page
from rag.errors import Cancelled, DocumentError
from rag.library.document_chunks import CHUNK_OVERLAP, CHUNK_SIZE, CHUNKING_VERSION
from rag.library.library import Library
from rag.library.progress import FileSummary, Step
from rag.library.quota import Quota, QuotaExceeded, Size
from rag.library.storage.conversation_file import conversation_data
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store
from rag.library.storage.visitor_folder import IDENTITY
from rag.reading.chunk import chunk_document
from rag.reading.parse import read_document
from rag.search.embedding.embedders import Embedder
from tests.conftest import missing
from tests.rag import make_documents as make

WriteFile = Callable[[str, str], Path]
TEXT = "# Tern Island\n\nThe ferry leaves at nine.\n\n" + "The gannet dives from thirty metres for herring.\n\n" * 40
IDENTIFIER = "0123456789abcdef"
CONVERSATION_ID = "c" * 16

# Adds file after file to a store and prints the id of each one that is done. The vectors have no meaning: the test
# kills the process many times, and loading the real model would take most of that time.
# The kernel ends this process, as abruptly as with SIGKILL, so many seconds after the first file.
ADDING = """
import signal, sys
from pathlib import Path
from rag.library.library import Library
from rag.library.storage.store import Store

class Lengths:
    name = full_name = "lengths"

    def encode(self, texts, report=None):
        return [[float(len(text)), 1.0, 0.0] for text in texts]

library = Library(Lengths(), store=Store(Path(sys.argv[1])))
for path in sorted(Path(sys.argv[2]).iterdir()):
    print(library.add(path).document.id, flush=True)
    if len(library.documents) == 1:
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[3]))
signal.pause()
"""
FILLING = """
import resource, sys
from pathlib import Path
from rag.documents import Document
from rag.errors import DocumentError
from rag.library.storage.conversation_file import conversation_data
from rag.library.storage.store import Store

ID = "c" * 16
store = Store(Path(sys.argv[1]))
small = Document("a" * 16, "small.txt", "Terns nest here.", (), "text/plain")
store.save(small, [], [], b"Terns nest here.")
store.write_conversation(ID, conversation_data({}, ["before"]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for attempt in (
    lambda: store.save(Document("b" * 16, "large.txt", "x", (), "text/plain"), [], [], b"x" * 200_000),
    lambda: store.write_conversation(ID, conversation_data({}, ["x" * 200_000])),
):
    try:
        attempt()
    except DocumentError as error:
        print(error)
"""


def sample(text: str = TEXT, name: str = "tern.md") -> tuple[Document, list[Chunk], np.ndarray]:
    document = Document(IDENTIFIER, name, text, (Page(1, 0, len(text)),), "text/markdown")
    chunks = chunk_document(document, size=300, overlap=100)
    return document, chunks, np.random.default_rng(0).random((len(chunks), 384), dtype=np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "visitor")


def stored_files(store: Store) -> list[str]:
    return sorted(
        str(path.relative_to(store.folder))
        for path in store.folder.rglob("*")
        if path.is_file() and path.name != IDENTITY
    )


def test_a_saved_document_is_loaded_to_the_last_bit(store: Store) -> None:
    document, chunks, vectors = sample()
    store.save(document, chunks, vectors, b"the file", label="model")
    ((loaded, loaded_chunks, loaded_vectors),) = Store(store.folder).load("model")
    assert (loaded, loaded_chunks) == (document, chunks)
    assert loaded_vectors.dtype == np.float32
    assert np.array_equal(loaded_vectors, vectors)
    assert store.original(document.id) == b"the file"
    assert store.size(document.id) == 8


def test_a_folder_in_the_first_format_opens(store: Store) -> None:
    """The files are written out here, so that a change of the format can't pass unnoticed."""
    text = "Terns nest here."
    value = {
        "label": "model",
        "document": {"id": IDENTIFIER, "name": "tern.md", "text": text, "media_type": "text/markdown"},
        "pages": [[1, 0, 16]],
        "chunks": [
            {"document_id": IDENTIFIER, "document": "tern.md", "start": 0, "end": 16, "page": 1, "heading": "Birds"}
        ],
    }
    vectors = io.BytesIO()
    np.save(vectors, np.ones((1, 384), np.float32))
    files = {"document.json": json.dumps(value).encode(), "vectors.npy": vectors.getvalue(), "original": b"the file"}
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    folder = store.folder / "documents" / IDENTIFIER
    folder.mkdir(parents=True)
    for name, data in (files | {"sums.json": json.dumps({"format": 1, "sha256": sums}).encode()}).items():
        (folder / name).write_bytes(data)
    ((document, chunks, loaded_vectors),) = store.load("model")
    assert document == Document(IDENTIFIER, "tern.md", text, (Page(1, 0, 16),), "text/markdown")
    assert chunks == [Chunk(IDENTIFIER, "tern.md", 0, 16, text, 1, "Birds")]
    assert loaded_vectors.shape == (1, 384)
    assert store.original(IDENTIFIER) == b"the file"


@pytest.mark.parametrize("text", ["中文 🚀 العربية", "a\x00b\r\n\u2028c", "broken \ufffd character"])
def test_any_text_is_loaded_unchanged(store: Store, text: str) -> None:
    document, chunks, vectors = sample(text, name="“x” <b>.md")
    store.save(document, chunks, vectors, b"x")
    ((loaded, loaded_chunks, _),) = store.load()
    assert (loaded, loaded_chunks) == (document, chunks)


def test_a_deleted_document_is_gone(store: Store) -> None:
    store.save(*sample(), b"x")
    store.delete(IDENTIFIER)
    store.delete(IDENTIFIER)
    assert list(store.load()) == []
    assert store.original(IDENTIFIER) is None
    assert store.size(IDENTIFIER) == 0
    assert stored_files(store) == []


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_only_the_owner_has_access(store: Store) -> None:
    before = os.umask(0)
    try:
        store.save(*sample(), b"x")
        store.write_conversation(CONVERSATION_ID, conversation_data({}, []))
    finally:
        os.umask(before)
    for path in [store.folder, *store.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("part", ["document.json", "vectors.npy", "original", "sums.json"])
@pytest.mark.parametrize("kind", ["truncated", "changed", "missing"])
def test_a_damaged_document_is_removed_and_the_others_stay(store: Store, part: str, kind: str) -> None:
    document, chunks, vectors = sample()
    other = Document("f" * 16, "other.md", document.text, document.pages, document.media_type)
    store.save(document, chunks, vectors, b"the file")
    store.save(other, [], [], b"the other file")
    path = store.folder / "documents" / IDENTIFIER / part
    data = bytearray(path.read_bytes())
    if kind == "missing":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data) if kind == "changed" else data[: len(data) // 2])
    assert [loaded.name for loaded, _, _ in store.load()] == ["other.md"]
    assert not path.parent.exists()


def test_a_document_with_vectors_of_another_model_is_deleted(store: Store) -> None:
    store.save(*sample(), b"x", label="one model")
    assert list(store.load("another")) == []
    assert stored_files(store) == []


@pytest.mark.parametrize(
    "document_id", ["../../etc/passwd", "", ".", "..", "a/b", "0" * 7, "G" * 16, "/etc", "a" * 16 + "\n"]
)
def test_only_a_document_id_is_a_path(store: Store, document_id: str) -> None:
    store.save(*sample(), b"x")
    assert store.original(document_id) is None
    assert store.size(document_id) == 0
    with pytest.raises(DocumentError, match="no such document"):
        store.delete(document_id)
    assert len(list(store.load())) == 1


def test_a_conversation_is_stored_beside_the_documents(store: Store) -> None:
    assert store.read_conversation(CONVERSATION_ID) is None
    store.write_conversation(CONVERSATION_ID, conversation_data({"title": "Fähre 🚢"}, ["Wann fährt die Fähre? 🚢"]))
    store.write_conversation("d" * 16, conversation_data({"title": "Other"}, ["Other"]))
    store.write_conversation(CONVERSATION_ID, conversation_data({"title": "Fähre 🚢"}, ["When?\n"]))
    again = Store(store.folder)
    assert again.read_conversation(CONVERSATION_ID) == ({"title": "Fähre 🚢"}, ["When?\n"])
    assert again.conversation_heads() == {CONVERSATION_ID: {"title": "Fähre 🚢"}, "d" * 16: {"title": "Other"}}
    again.delete_conversation("d" * 16)
    again.delete_conversation("d" * 16)
    assert list(again.conversation_sizes()) == [CONVERSATION_ID]


@pytest.mark.parametrize("data", [b"", b"{", b'{"title": "x"}\n', b'{}\n{"a', b"[" * 100_000 + b"\n1\n"])
def test_a_damaged_conversation_is_an_error(store: Store, data: bytes) -> None:
    store.write_conversation(CONVERSATION_ID, data)
    with pytest.raises(ValueError, match=r"\w"):
        store.read_conversation(CONVERSATION_ID)
    assert list(store.conversation_heads()) == [CONVERSATION_ID]


@pytest.mark.parametrize("conversation_id", ["../conversation", "", "c" * 15, "C" * 16, "c" * 16 + "\n", "a/b"])
def test_only_a_conversation_id_is_a_path(store: Store, conversation_id: str) -> None:
    with pytest.raises(DocumentError, match="no such conversation"):
        store.write_conversation(conversation_id, b"{}\n{}\n")
    with pytest.raises(DocumentError, match="no such conversation"):
        store.delete_conversation(conversation_id)


def test_nothing_is_written_after_destroy(store: Store) -> None:
    store.save(*sample(), b"x")
    store.destroy()
    store.destroy()
    store.write_conversation(CONVERSATION_ID, conversation_data({}, ["late"]))
    with pytest.raises(DocumentError, match="session has ended"):
        store.save(*sample(), b"x")
    assert not store.folder.exists()
    assert list(store.folder.parent.iterdir()) == []


def test_a_memory_store_has_the_originals_in_memory() -> None:
    store = MemoryStore()
    store.save(*sample(), b"the file")
    store.write_conversation(CONVERSATION_ID, conversation_data({"title": "a"}, ["a"]))
    assert (store.original(IDENTIFIER), store.size(IDENTIFIER)) == (b"the file", 8)
    assert store.read_conversation(CONVERSATION_ID) == ({"title": "a"}, ["a"])
    assert store.conversation_heads() == {CONVERSATION_ID: {"title": "a"}}
    assert list(store.load()) == []
    store.destroy()
    assert (store.original(IDENTIFIER), store.read_conversation(CONVERSATION_ID)) == (None, None)
    with pytest.raises(DocumentError, match="session has ended"):
        store.save(*sample(), b"x")


def test_a_document_that_cannot_be_read_now_stays_stored(store: Store) -> None:
    store.save(*sample(), b"x")
    folder = store.folder / "documents" / IDENTIFIER
    (folder / "sums.json").rename(folder / "kept")
    (folder / "sums.json").symlink_to("sums.json")  # reading it is an error, as of a disk that fails
    assert list(store.load()) == []
    with pytest.raises(DocumentError, match=r"Can't read a document \(OSError\)"):
        store.read(IDENTIFIER)
    (folder / "kept").rename(folder / "sums.json")
    assert len(list(store.load())) == 1


def test_an_identity_that_cannot_be_read_is_no_deletion(store: Store) -> None:
    store.write_conversation(CONVERSATION_ID, b"{}\n[1]\n")
    identity = store.folder / IDENTITY
    name = identity.read_text()
    identity.unlink()
    identity.symlink_to(IDENTITY)
    assert not store.is_gone
    with pytest.raises(DocumentError, match="Can't save the conversation"):
        store.write_conversation(CONVERSATION_ID, b"{}\n[2]\n")
    opened = Store(store.folder)
    identity.unlink()
    identity.write_text(name)
    for each in (store, opened):
        assert not each.is_gone
        each.write_conversation(CONVERSATION_ID, b"{}\n[3]\n")
    assert store.read_conversation(CONVERSATION_ID) == ({}, [3])


def test_a_full_disk_is_an_error_and_leaves_nothing(store: Store) -> None:
    if os.name != "posix":
        missing("a limit on the size of files")
    command = [sys.executable, "-W", "error", "-c", FILLING, str(store.folder)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Can't save “large.txt”: the disk is full. Remove documents")
    assert lines[1].startswith("Can't save the conversation: the disk is full.")
    assert not list(store.folder.rglob(".unfinished-*"))
    assert [document.name for document, _, _ in store.load()] == ["small.txt"]
    assert store.read_conversation(CONVERSATION_ID) == ({}, ["before"])


@pytest.mark.parametrize("seed", range(6))
def test_after_a_kill_each_document_is_complete_or_absent(store: Store, tmp_path: Path, seed: int) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(40):
        (files / f"{number:03}.txt").write_text(f"Note {number}.\n\n" + f"Line {number} of the note.\n\n" * 3_000)
    seconds = str(random.Random(seed).uniform(0.001, 0.8))
    command = [sys.executable, "-c", ADDING, str(store.folder), str(files), seconds]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    assert process.returncode == -signal.SIGALRM
    printed_ids = process.stdout.split()
    expected = {document.id: (path, document) for path in files.iterdir() for document in [read_document(path)]}
    loaded = {
        document.id: (document, chunks, vectors)
        for document, chunks, vectors in store.load(f"lengths {CHUNKING_VERSION} {CHUNK_SIZE} {CHUNK_OVERLAP}")
    }
    assert set(printed_ids) <= set(loaded)
    assert len(loaded) <= len(printed_ids) + 1
    for identifier, (document, chunks, vectors) in loaded.items():
        path, expected_document = expected[identifier]
        assert document == expected_document
        assert chunks == chunk_document(document, size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
        assert vectors[:, 0].tolist() == [len(chunk.text) for chunk in chunks]
        assert store.original(identifier) == path.read_bytes()
    assert not list(store.folder.rglob(".unfinished-*"))


def test_a_restart_loads_the_documents_without_embedding_them_again(
    embedder: Embedder, store: Store, write_file: WriteFile
) -> None:
    first = Library(embedder, store=store)
    document = first.add(write_file("tern.md", TEXT)).document
    before = retrieve_passages([first], "When does the ferry leave?", embedder, limit=3)
    first.close()

    class Silent(Embedder):
        def encode(self, *arguments: object) -> None:
            raise AssertionError("a document was embedded again")

    second = Library(Silent(), store=Store(store.folder))
    assert second.documents == [document]
    assert second.original(document.id) == TEXT.encode()
    assert second.size == Size(1, 1, len(TEXT.encode()))
    after = retrieve_passages([second], "When does the ferry leave?", embedder, limit=3)
    assert [passage.text for passage in after] == [passage.text for passage in before]
    assert [passage.score for passage in after] == pytest.approx([passage.score for passage in before], abs=1e-3)
    second.remove(document.id)
    assert second.original(document.id) is None
    second.close()
    assert list(Store(store.folder).load(second._label)) == []


def test_the_same_content_is_stored_once(embedder: Embedder, store: Store, write_file: WriteFile) -> None:
    library = Library(embedder, store=store)
    threads = [threading.Thread(target=library.add, args=[write_file(f"{n}.md", TEXT)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = library.add(write_file("again.md", TEXT))
    assert again.duplicate
    assert again.summary == FileSummary(again.document.name, 0, len(TEXT), again.chunks, duplicate=True)
    assert len(library.documents) == len(list(store.load(library._label))) == 1
    assert library.size.files == 1
    library.close()


@pytest.mark.parametrize("cancelled_at", [Step.READING, Step.EMBEDDING, Step.SAVING], ids=lambda step: step.name)
def test_a_cancelled_addition_leaves_nothing(
    embedder: Embedder, store: Store, write_file: WriteFile, cancelled_at: Step
) -> None:
    library = Library(embedder, store=store)

    def report(step: Step, share: float) -> None:
        if step is cancelled_at:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        library.add(write_file("tern.md", TEXT), report=report)
    assert library.documents == []
    assert library.size == Size()
    assert stored_files(store) == []
    assert library.add(write_file("tern.md", TEXT)).duplicate is False
    library.close()


def test_a_closed_library_saves_nothing(embedder: Embedder, store: Store, write_file: WriteFile) -> None:
    library = Library(embedder, store=store)
    parsed = library.read(write_file("tern.md", TEXT))
    library.close()
    with pytest.raises(DocumentError, match="session has ended"):
        library.store(parsed)  # type: ignore[arg-type]
    assert stored_files(store) == []


def test_the_quota_is_for_all_documents_together(embedder: Embedder, store: Store, tmp_path: Path) -> None:
    def pdf(name: str, *pages: str) -> Path:
        path = tmp_path / name
        path.write_bytes(make.pdf(*pages))
        return path

    library = Library(embedder, store=store, quota=Quota(files=3, pages=4, megabytes=1))
    library.add(pdf("two.pdf", "one", "two"))
    with pytest.raises(QuotaExceeded, match=r"“three\.pdf” has 3 pages.*limit.*4.*Remove .*“two\.pdf”"):
        library.add(pdf("three.pdf", "one", "two", "three"))
    with pytest.raises(QuotaExceeded, match=r"“six\.pdf” has 6 pages.*Upload only the part"):
        library.add(pdf("six.pdf", *"abcdef"))
    large = tmp_path / "large.txt"
    large.write_text("word " * 300_000)
    with pytest.raises(QuotaExceeded, match=r"“large\.txt” has 1\.5 MB"):
        library.add(large)
    library.add(pdf("a.pdf", "a"))
    b = library.add(pdf("b.pdf", "b")).document
    with pytest.raises(QuotaExceeded, match=r"You already have 3 documents\. Remove one"):
        library.add(pdf("c.pdf", "c"))
    assert library.add(tmp_path / "b.pdf").document == b
    library.remove(library.documents[0].id)
    library.add(pdf("others.pdf", "one", "two"))
    assert library.size.files == 3
    assert library.size.pages == 4
    library.close()


def test_a_document_that_is_left_out_is_not_searched(embedder: Embedder, tmp_path: Path) -> None:
    library = Library(embedder)
    for name, text in (("a.txt", "The gannet dives for herring. " * 400), ("b.txt", "The gannet nests on cliffs.")):
        (tmp_path / name).write_text(text)
        library.add(tmp_path / name)
    long, short = library.documents
    view = library.without([long.id])
    assert view.documents == [short]
    assert {
        passage.document for passage in retrieve_passages([view], "Where does the gannet dive?", embedder, limit=5)
    } == {"b.txt"}
    assert library.chunk_count(long.id) > library.chunk_count(short.id) == 1
    assert library.documents == [long, short]
    assert library.without([long.id, short.id]).documents == []
