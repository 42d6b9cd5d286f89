"""Tests of retrieval: the numbered passages of a question, from libraries and their indexes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.answering.retrieve import PASSAGE_SIZE, rank_passages, retrieve_characters, retrieve_passages
from rag.documents import Chunk, Document
from rag.errors import DocumentError, RetrievalError
from rag.library.library import Library
from rag.library.samples import SampleLibrary
from rag.reading.chunk import chunk_document
from rag.search.bm25 import BM25Index
from rag.search.chroma_vectors import VectorIndex, chroma_client
from rag.search.embedding.embedders import Embedder
from rag.search.fuse import fuse, unit_score
from rag.search.index import Hit, Index, ScoreSpread
from tests.rag.make_documents import quarterly_report

WriteFile = Callable[[str, str], Path]
BIRDS = "# Birds\n\nTerns nest on the shingle.\n\n" + "The gannet dives from thirty metres for herring.\n\n" * 40
ENGINES = "# Engines\n\nThe methane engine burns for 340 seconds.\n\n" + "Valves are tested in the morning.\n\n" * 40


def test_a_question_finds_its_passage_with_exact_offsets(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    library.add(write_file("birds.md", BIRDS))
    library.add(write_file("engines.md", ENGINES))
    best = retrieve_passages([library], "How long does the engine burn?", embedder, limit=3)[0]
    assert best.document == "engines.md"
    assert "340 seconds" in best.text
    assert ENGINES[best.start : best.end] == best.text
    assert best.number == 1
    assert best.dense is not None
    assert best.lexical is not None


def test_meaning_finds_what_words_do_not(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    library.add(write_file("a.txt", "Felines sleep most of the day."))
    library.add(write_file("b.txt", "The harbour office opens at nine."))
    assert retrieve_passages([library], "When are cats at rest?", embedder, limit=1)[0].document == "a.txt"


def test_the_same_content_is_stored_once(library: Library, write_file: WriteFile) -> None:
    first = library.add(write_file("a.md", BIRDS))
    second = library.add(write_file("b.md", BIRDS))
    assert second.duplicate
    assert second.chunks == first.chunks
    assert len(library.documents) == 1


def test_a_removed_document_is_not_retrieved(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    birds = library.add(write_file("birds.md", BIRDS)).document
    engines = library.add(write_file("engines.md", ENGINES)).document
    library.remove(engines.id)
    assert {passage.document_id for passage in rank_passages([library], "engine methane burn", embedder)} == {birds.id}
    assert library.documents == [birds]


def test_a_closed_library_is_empty(embedder: Embedder, write_file: WriteFile) -> None:
    library = Library(embedder)
    library.add(write_file("birds.md", BIRDS))
    library.close()
    library.close()
    assert library.documents == []
    with pytest.raises(DocumentError, match="session has ended"):
        library.add(write_file("engines.md", ENGINES))


def test_libraries_are_separate(embedder: Embedder, write_file: WriteFile) -> None:
    first, second = Library(embedder), Library(embedder)
    first.add(write_file("birds.md", BIRDS))
    second.add(write_file("engines.md", ENGINES))
    assert {passage.document for passage in rank_passages([first], "engine", embedder)} == {"birds.md"}
    first.close()
    assert {passage.document for passage in rank_passages([second], "engine", embedder)} == {"engines.md"}
    second.close()


def test_a_failed_addition_leaves_nothing_behind(embedder: Embedder, write_file: WriteFile) -> None:
    class BrokenIndex(VectorIndex):
        def add(self, *arguments: object) -> None:
            super().add(*arguments)  # type: ignore[arg-type]
            raise RuntimeError("the disk is full")

    library = Library(embedder)
    library._index._vectors = BrokenIndex()
    with pytest.raises(RuntimeError):
        library.add(write_file("birds.md", BIRDS))
    assert library.documents == []
    assert rank_passages([library], "gannet", embedder) == []
    assert library._index._lexical.scores("gannet") == {}


def test_the_number_of_documents_is_limited(embedder: Embedder, write_file: WriteFile, library: Library) -> None:
    for number in range(50):
        library.add(write_file(f"{number}.txt", f"Note number {number}."))
    with pytest.raises(DocumentError, match="You already have 50 documents"):
        library.add(write_file("more.txt", "One more note."))


def test_characters_are_unique_and_fill_the_limit(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    document = library.add(write_file("birds.md", BIRDS)).document
    passages = retrieve_characters([library], "gannet herring", embedder, limit_chars=1000)
    characters = [at for passage in passages for at in range(passage.start, passage.end)]
    assert len(characters) == len(set(characters)) == 1000
    assert all(passage.text == document.text[passage.start : passage.end] for passage in passages)
    assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))


def test_an_empty_library_has_no_passages(library: Library, embedder: Embedder) -> None:
    assert retrieve_passages([library], "anything", embedder, limit=3) == []
    assert retrieve_passages([], "anything", embedder, limit=3) == []


@pytest.mark.parametrize("question", ['"', "* OR NEAR(", "'; drop table chunks; --", "?!", "", "ä 中文 🚀"])
def test_no_question_breaks_the_search(
    library: Library, embedder: Embedder, write_file: WriteFile, question: str
) -> None:
    library.add(write_file("birds.md", BIRDS))
    retrieve_passages([library], question, embedder, limit=3)


def test_several_threads_add_documents(library: Library, embedder: Embedder, write_file: WriteFile) -> None:
    paths = [
        write_file(f"{number}.md", f"# Note {number}\n\nThe code of room {number} is {number * 7}.")
        for number in range(8)
    ]
    threads = [threading.Thread(target=library.add, args=[path]) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(library.documents) == 8
    assert "35" in retrieve_passages([library], "What is the code of room 5?", embedder, limit=1)[0].text


def test_the_first_search_reads_the_samples(embedder: Embedder, write_file: WriteFile) -> None:
    samples = SampleLibrary(write_file("birds.md", BIRDS).parent, embedder)
    assert retrieve_passages([samples], "gannet", embedder, limit=1)[0].document == "birds.md"


def test_lexical_search_stems() -> None:
    index = BM25Index()
    index.add("d", ["launches were counted", "the harbour", "a crate", "a boat"])
    assert index.scores("launch count")["d"].nonzero()[0].tolist() == [0]
    index.close()


def test_fusion_adds_standard_scores_and_takes_the_minimum_for_a_missing_one() -> None:
    chunk, spread = Chunk("d", "d.txt", 0, 1, "x", None, ""), ScoreSpread(10, (0.1, 0.2), (1.0, 2.0))
    hits = [Hit(chunk, 0.9, None, spread), Hit(chunk, 0.5, 9.0, spread), Hit(chunk, None, 5.0, spread)]
    assert fuse(hits, 0.5) == pytest.approx([(4 - 0.5) / 2, (2 + 4) / 2, (2 + 2) / 2])
    assert fuse([]) == []


def test_fusion_standardizes_hits_against_the_chunks_of_all_indexes() -> None:
    chunk = Chunk("d", "d.txt", 0, 1, "x", None, "")
    # A single chunk equals the mean of its own index, but not the mean of two indexes.
    alone, many = ScoreSpread(1, (0.8, 0.0), (0.0, 0.0)), ScoreSpread(3, (0.0, 0.1), (0.0, 0.0))
    assert fuse([Hit(chunk, 0.8, None, alone)]) == [0.0]
    near, far = fuse([Hit(chunk, 0.8, None, alone), Hit(chunk, 0.3, None, many)])
    assert near > far > 0


def test_a_unit_score_keeps_the_order() -> None:
    scores = [unit_score(score) for score in (-50, -1, 0, 1, 50)]
    assert scores == sorted(scores)
    assert (scores[0], scores[2], scores[-1]) == pytest.approx((0, 0.5, 1), abs=1e-6)


class OneDocumentLibrary:
    """One document in chunks of any size; a library has a fixed chunk size."""

    def __init__(self, embedder: Embedder, text: str, size: int) -> None:
        self.documents = [Document("d", "d.txt", text, (), "text/plain")]
        self._index = Index()
        self.chunks = chunk_document(self.documents[0], size=size, overlap=0)
        self._index.add("d", self.chunks, embedder.encode([chunk.text for chunk in self.chunks]))
        self.search, self.close = self._index.search, self._index.close

    def document(self, document_id: str) -> Document | None:
        return self.documents[0]


def test_neighbouring_chunks_are_one_passage(embedder: Embedder) -> None:
    gannets = " ".join(f"The gannet of cliff {number} dives for herring at dawn." for number in range(12))
    text = f"Valves are tested in the morning. {'It rained. ' * 60}\n\n{gannets}\n\n{'It rained again. ' * 100}"
    library = OneDocumentLibrary(embedder, text, 200)
    passages = retrieve_passages([library], "When does the gannet dive for herring?", embedder, limit=2)  # type: ignore[list-item]
    library.close()
    assert [passage.number for passage in passages] == [1, 2]
    assert sum(passages[0].start <= chunk.start < passages[0].end for chunk in library.chunks) > 1
    assert 200 < len(passages[0].text) <= PASSAGE_SIZE
    assert all(passage.text == text[passage.start : passage.end] for passage in passages)
    first, second = sorted((passage.start, passage.end) for passage in passages)
    assert first[1] <= second[0]


def test_passages_below_two_headings_of_a_plain_text_stay_apart(
    library: Library, embedder: Embedder, write_file: WriteFile
) -> None:
    changes = {"3.2": "The key of the harbour office is blue.", "3.1": "The key of the harbour office is red."}
    library.add(write_file("changes.txt", "\n\n".join(f"## {name}\n\n- {text}" for name, text in changes.items())))
    passages = retrieve_passages([library], "Which key of the harbour office is red?", embedder, limit=2)
    assert {passage.heading: passage.text.rpartition("- ")[2] for passage in passages} == changes


def test_duplicate_text_comes_once_from_its_first_place(embedder: Embedder) -> None:
    row = "The crane of the harbour lifts forty tonnes at most, and fifty on Sundays."
    text = "\n\n".join(["It rained.", row, "The boats came in late that day, all of them.", row, "Valves are tested."])
    library = OneDocumentLibrary(embedder, text, 80)
    passages = rank_passages([library], "What does the crane lift?", embedder)  # type: ignore[list-item]
    library.close()
    assert [passage.start for passage in passages if passage.text == row] == [text.index(row)]
    assert passages[0].text == row


def test_a_passage_never_crosses_a_page(library: Library, embedder: Embedder, tmp_path: Path) -> None:
    document = library.add(quarterly_report(tmp_path)).document
    for passage in retrieve_passages([library], "What were total net sales for the quarter?", embedder, limit=5):
        page = next(page for page in document.pages if page.number == passage.page)
        assert page.start <= passage.start < passage.end <= page.end


@pytest.mark.parametrize("url", ["nonsense", "ftp://host"])
def test_a_bad_chroma_url_is_an_error_with_a_remedy(url: str) -> None:
    with pytest.raises(RetrievalError, match="Write it like"):
        chroma_client(url)


def test_an_unreachable_chroma_server_is_an_error_with_a_remedy() -> None:
    with pytest.raises(RetrievalError, match="chroma run"):
        chroma_client("http://127.0.0.1:9")
