"""Both indexes: what is added is found, what is removed is gone, and a Chroma server may come and go."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from rag.documents import Chunk
from rag.errors import RetrievalError
from rag.search.bm25 import BM25Index, stems
from rag.search.index import Index, contextual_vectors, mix_neighbours, pooled_statistics
from rag.search.vectors import PREFIX, USED, VectorIndex, chroma_client, sweep
from tests.helpers.servers import free_port, wait_until

BIRDS = [
    "Terns nest on the shingle.",
    "The gannet dives for herring.",
    "It comes up thirty metres on.",
    "Puffins burrow.",
]
ENGINES = ["The methane engine burns.", "Valves are tested.", "A pump is primed.", "The gannet is a crane here."]


def chunks(document_id: str, texts: list[str]) -> list[Chunk]:
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)]).tolist()
    return [
        Chunk(document_id, f"{document_id}.txt", start, start + len(text), text, None, "")
        for start, text in zip(starts, texts, strict=False)
    ]


def directions(count: int, seed: int = 0) -> Any:
    """Random vectors of length 1."""
    vectors = np.random.default_rng(seed).standard_normal((count, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def index() -> Iterator[Index]:
    index = Index()
    yield index
    index.close()


def texts_of(hits: list[Any]) -> set[str]:
    return {hit.chunk.text for hit in hits}


def test_a_chunk_is_found_by_its_neighbours_words(index: Index) -> None:
    index.add("birds", chunks("birds", BIRDS), directions(4))
    words = {hit.chunk.text: hit.lexical for hit in index.search("gannet", directions(1, 9)[0].tolist())}
    own, before, after, far = words[BIRDS[1]], words[BIRDS[0]], words[BIRDS[2]], words[BIRDS[3]]
    assert own > before > 0
    assert before == pytest.approx(after)
    assert far is None


def test_vectors_turn_towards_their_neighbours_and_keep_their_length() -> None:
    mixed = contextual_vectors(directions(5).tolist())
    assert np.linalg.norm(mixed, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    cosines = mixed @ directions(5).T
    assert all(cosines[row, row] > cosines[row, other] for row in range(5) for other in range(5) if row != other)
    assert all(cosines[row, row + 1] > 0.2 for row in range(4))
    assert mix_neighbours(np.array([1.0, 0, 0, 0]), 0.5).tolist() == [1, 0.5, 0, 0]
    assert mix_neighbours(np.array([1.0]), 0.5).tolist() == [1]


def test_the_spread_is_that_of_all_chunks(index: Index) -> None:
    vectors = directions(1000)
    texts = [f"Note {number}." for number in range(1000)]
    index.add("a", chunks("a", texts[:10]), vectors[:10])
    index.add("b", chunks("b", texts[10:]), vectors[10:])
    asked = directions(1, 9)[0]
    spread = index.search("note 7", asked.tolist(), limit=5)[0].spread
    cosines = np.concatenate([contextual_vectors(vectors[:10]) @ asked, contextual_vectors(vectors[10:]) @ asked])
    assert spread.chunks == 1000
    assert spread.dense == pytest.approx((cosines.mean(), cosines.std()), abs=0.02)
    assert spread.lexical[1] > 0


def test_parts_are_pooled_as_if_they_were_one() -> None:
    one, two = np.arange(7.0), np.arange(3.0) * 5
    both = np.concatenate([one, two])
    assert pooled_statistics([(7, one.mean(), one.std()), (3, two.mean(), two.std())]) == pytest.approx(
        (both.mean(), both.std())
    )


def test_what_is_removed_is_gone_from_both_indexes(index: Index) -> None:
    index.add("birds", chunks("birds", BIRDS), directions(4))
    index.add("engines", chunks("engines", ENGINES), directions(4, 1))
    index.remove("birds")
    assert texts_of(index.search("gannet", directions(1)[0].tolist())) == set(ENGINES)
    assert index.count("birds") == 0
    assert index.count("engines") == 4
    assert index._vectors is not None
    kept = index._vectors._collection.get(include=["metadatas"])
    assert [entry["document"] for entry in kept["metadatas"]] == ["engines"] * 4
    index.remove("engines")
    assert index.search("gannet", directions(1)[0].tolist()) == []


def test_a_document_without_text_is_no_chunk(index: Index) -> None:
    index.add("empty", [], [])
    assert index.search("anything", directions(1)[0].tolist()) == []
    assert index.count("empty") == 0


def test_words_added_and_removed_in_any_order_score_alike() -> None:
    once, changed = BM25Index(), BM25Index()
    once.add("birds", zip("abcd", BIRDS, strict=True))
    once.add("engines", zip("efgh", ENGINES, strict=True))
    changed.add("other", [("x", "The gannet of another document."), ("y", "Engines.")])
    changed.add("engines", zip("efgh", ENGINES, strict=True))
    changed.add("birds", zip("abcd", BIRDS, strict=True))
    changed.remove("other")
    assert sorted(changed.search("gannet engines dive", 10)) == sorted(once.search("gannet engines dive", 10))


def test_the_rarer_word_and_the_shorter_chunk_weigh_more() -> None:
    index = BM25Index()
    texts = ["herring", "gannet", "gannet and a good many other words", "crane", "boat"]
    index.add("d", [(str(number), text) for number, text in enumerate(texts)])
    assert [found for found, _ in index.search("herring or gannet", 10)] == ["0", "1", "2"]


def test_words_are_cut_and_stemmed_as_the_index_does_it() -> None:
    assert sorted(stems(["launches", "first_token", "Café"])) == ["cafe", "first", "launch", "token"]
    assert stems([]) == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Start a real Chroma server over one folder, and on one port, whenever it is called; `stop` ends it."""
    port, running = free_port(), []
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(tmp_path), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"

    def beats() -> bool:
        try:
            return httpx2.get(f"{url}/api/v2/heartbeat").status_code == 200
        except httpx2.TransportError:
            return False

    def start() -> str:
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log))
        wait_until(beats, 120, lambda: (tmp_path / "log").read_text())
        return url

    def stop() -> None:
        while running:
            running[-1].kill()
            running.pop().wait()

    start.stop = stop  # type: ignore[attr-defined]
    yield start
    stop()


def test_a_server_that_is_away_is_told_and_one_that_is_back_answers(server: Any) -> None:
    client = chroma_client(server())
    index, asked = Index(client), directions(1)[0].tolist()
    index.add("birds", chunks("birds", BIRDS), directions(4))
    index.add("engines", chunks("engines", ENGINES), directions(4, 1))
    assert len(index.search("gannet", asked)) == 8
    server.stop()
    with pytest.raises(RetrievalError, match="not answering") as caught:
        index.search("gannet", asked)
    assert "chroma run" in caught.value.remedy
    with pytest.raises(RetrievalError, match="not answering"):
        index.add("more", chunks("more", BIRDS), directions(4, 2))
    index.remove("birds")  # it is forgotten here at once, and there as soon as the server is back
    server()
    assert texts_of(index.search("gannet", asked)) == set(ENGINES)
    assert index._vectors is not None
    assert index._vectors._collection.count() == 4
    index.add("more", chunks("more", BIRDS), directions(4, 2))
    assert texts_of(index.search("gannet", asked)) == {*BIRDS, *ENGINES}
    index.close()
    assert client.list_collections() == []


def test_a_server_that_lost_its_data_says_what_to_do(server: Any) -> None:
    client = chroma_client(server())
    index = Index(client)
    index.add("birds", chunks("birds", BIRDS), directions(4))
    assert index._vectors is not None
    client.delete_collection(index._vectors._name)
    with pytest.raises(RetrievalError, match="no longer has the vectors") as caught:
        index.search("gannet", directions(1)[0].tolist())
    assert "add them again" in caught.value.remedy
    index.close()


def test_closing_without_the_server_leaves_the_collection_to_the_sweep(server: Any) -> None:
    client = chroma_client(server())
    index = Index(client)
    index.add("birds", chunks("birds", BIRDS), directions(4))
    server.stop()
    index.close()
    server()
    assert len(client.list_collections()) == 1
    assert sweep(client, 3600) == 0
    assert sweep(client, -1) == 1
    assert client.list_collections() == []


def test_only_old_collections_of_visitors_are_swept() -> None:
    client = chroma_client()
    now = time.time()
    names = {f"{PREFIX}old": now - 500, f"{PREFIX}new": now - 50, "another": now - 500}
    for name, used in names.items():
        client.create_collection(name, metadata={USED: used}, embedding_function=None)
    living = VectorIndex(client)
    assert sweep(client, 100) >= 1
    left = {collection.name for collection in client.list_collections()}
    assert {f"{PREFIX}new", "another", living._name} <= left
    assert f"{PREFIX}old" not in left
    living.close()
    for name in (f"{PREFIX}new", "another"):
        client.delete_collection(name)


def test_an_index_that_is_used_marks_itself() -> None:
    client = chroma_client()
    vectors = VectorIndex(client)
    vectors._used -= 10_000
    vectors.add("d", ["a"], directions(1))
    marked = client.get_collection(vectors._name, embedding_function=None).metadata[USED]
    assert time.time() - marked < 1000
    vectors.close()
